#pragma once

#include <string>
#include <string_view>

namespace adamec::torchscript {

// LibTorch's unpickler does not know APPEND and SETITEM, which Python writes for lists and dicts of
// exactly one entry. Gives the same pickle (of protocol 2, as torch.save writes it) with APPENDS
// and SETITEMS and the marks they take; as it is when it holds an opcode that torch.save does not
// write.
[[nodiscard]] std::string with_marks(std::string_view pickle);

}  // namespace adamec::torchscript
