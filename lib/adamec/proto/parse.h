#pragma once

#include <google/protobuf/message_lite.h>
#include <google/protobuf/stubs/common.h>

#include <string>

namespace adamec {

// message.ParseFromString(bytes), but silent: protobuf itself prints some errors (text that is not
// UTF-8, missing fields) on stderr, where a command's own one-line message belongs.
[[nodiscard]] inline bool parse_message(google::protobuf::MessageLite& message,
                                        const std::string& bytes) {
#if GOOGLE_PROTOBUF_VERSION < 4022000
  const google::protobuf::LogSilencer silence;
#endif
  return message.ParseFromString(bytes);
}

}  // namespace adamec
