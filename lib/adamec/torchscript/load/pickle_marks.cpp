#include "adamec/torchscript/load/pickle_marks.h"

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace adamec::torchscript {
namespace {

// Opcodes by what they do to the stack; see Python's pickletools.
constexpr std::string_view kPushes = "NKMJGXUTc])}hj\x88\x89\x8a";
constexpr std::string_view kMemoises = "qr\x80";
constexpr char kMark = '(';

class Rewriter {
 public:
  explicit Rewriter(std::string_view pickle) : pickle_(pickle) {}

  // Nothing when an opcode is not known or misplaced.
  std::optional<std::string> run() {
    while (at_ < pickle_.size()) {
      const char opcode = pickle_[at_];
      const std::optional<std::size_t> size = instruction_size(opcode);
      if (!size || *size > pickle_.size() - at_) return std::nullopt;
      const std::size_t begin = result_.size();
      result_.append(pickle_.substr(at_, *size));
      at_ += *size;
      if (opcode == '.') return result_;
      if (!apply(opcode, begin)) return std::nullopt;
    }
    return std::nullopt;
  }

 private:
  template <typename Number>
  std::optional<std::size_t> counted() const {
    if (pickle_.size() - at_ <= sizeof(Number)) return std::nullopt;
    Number count = 0;
    std::memcpy(&count, pickle_.data() + at_ + 1, sizeof(Number));
    return 1 + sizeof(Number) + count;
  }

  std::optional<std::size_t> instruction_size(char opcode) const {
    switch (opcode) {
      case 'K':
      case 'h':
      case 'q':
      case '\x80':
        return 2;
      case 'M':
        return 3;
      case 'J':
      case 'j':
      case 'r':
        return 5;
      case 'G':
        return 9;
      case 'U':
      case '\x8a':
        return counted<std::uint8_t>();
      case 'X':
      case 'T':
        return counted<std::uint32_t>();
      case 'c': {
        const auto module = pickle_.find('\n', at_);
        if (module == std::string_view::npos) return std::nullopt;
        const auto name = pickle_.find('\n', module + 1);
        if (name == std::string_view::npos) return std::nullopt;
        return name + 1 - at_;
      }
      default:
        return 1;
    }
  }

  // Takes `count` values off and puts one in their place that starts where the first did.
  bool replace(std::size_t count) {
    if (starts_.size() < count) return false;
    starts_.resize(starts_.size() - count + 1);
    return true;
  }

  bool drop_to_mark(bool keep_one) {
    if (marks_.empty() || marks_.back() > starts_.size()) return false;
    starts_.resize(marks_.back());
    marks_.pop_back();
    if (keep_one) starts_.push_back(mark_starts_.back());
    mark_starts_.pop_back();
    return true;
  }

  // `entry` values, the last on the stack, become a marked group.
  bool mark_entry(std::size_t entry, char opcode) {
    if (starts_.size() <= entry) return false;
    result_.back() = opcode;
    result_.insert(starts_[starts_.size() - entry], 1, kMark);
    starts_.resize(starts_.size() - entry);
    return true;
  }

  bool apply(char opcode, std::size_t begin) {
    if (kPushes.find(opcode) != std::string_view::npos) {
      starts_.push_back(begin);
      return true;
    }
    if (kMemoises.find(opcode) != std::string_view::npos) return true;
    switch (opcode) {
      case kMark:
        marks_.push_back(starts_.size());
        mark_starts_.push_back(begin);
        return true;
      case 't':
        return drop_to_mark(/*keep_one=*/true);
      case 'e':
      case 'u':
        return drop_to_mark(/*keep_one=*/false);
      case 'a':
        return mark_entry(1, 'e');
      case 's':
        return mark_entry(2, 'u');
      case 'Q':     // BINPERSID
      case '\x85':  // TUPLE1
        return replace(1);
      case '\x86':  // TUPLE2
      case 'R':     // REDUCE
      case 'b':     // BUILD
      case '\x81':  // NEWOBJ
        return replace(2);
      case '\x87':  // TUPLE3
        return replace(3);
      default:
        return false;
    }
  }

  const std::string_view pickle_;
  std::size_t at_ = 0;
  std::string result_;
  std::vector<std::size_t> starts_;       // of the values on the stack: where in the result
  std::vector<std::size_t> marks_;        // sizes of the stack at the open marks
  std::vector<std::size_t> mark_starts_;  // and where in the result they are
};

}  // namespace

std::string with_marks(std::string_view pickle) {
  return Rewriter(pickle).run().value_or(std::string(pickle));
}

}  // namespace adamec::torchscript
