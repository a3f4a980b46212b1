#include "adamec/torchscript/load/open_sizes.h"

#include <charconv>
#include <map>
#include <set>

#include "adamec/base/error.h"
#include "adamec/torchscript/run/copy.h"

namespace adamec::torchscript {
namespace {

// Differences to the example's sizes, by variant; one more for every further name.
constexpr std::int64_t kSteps[] = {2, 5, 3};

std::vector<std::string> split_text(const std::string& text, char at) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == at) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

[[noreturn]] void bad_text(const std::string& text) {
  fail_with(ErrorKind::kUsage,
            "--dynamic '{}': expected 'batch', or argument:dimension such as 'x:0' or "
            "'x:1=length,mask:1=length'",
            printable(text));
}

OpenSize parse_one(const std::string& part, const std::string& text, const jit::Module& module,
                   const std::string& method, const std::vector<c10::IValue>& arguments) {
  const auto named = split_text(part, '=');
  const auto place = split_text(named[0], ':');
  OpenSize size;
  if (named.size() > 2 || place.size() != 2 || place[0].empty() || named.back().empty()) {
    bad_text(text);
  }
  const char* end = place[1].data() + place[1].size();
  const auto [stop, error] = std::from_chars(place[1].data(), end, size.dimension);
  if (error != std::errc() || stop != end || size.dimension < 0) bad_text(text);
  size.name = named.size() == 2 ? named[1] : named[0];
  const auto& schema = module.get_method(method).function().getSchema();
  for (size.argument = 0; size.argument < arguments.size(); ++size.argument) {
    if (schema.arguments()[size.argument + 1].name() == place[0]) break;
  }
  if (size.argument == arguments.size() || !arguments[size.argument].isTensor()) {
    fail("--dynamic '{}': the model has no tensor argument '{}'", printable(text),
         printable(place[0]));
  }
  const std::int64_t dimensions = arguments[size.argument].toTensor().dim();
  if (size.dimension >= dimensions) {
    fail("--dynamic '{}': '{}' has {} dimensions", printable(text), printable(place[0]),
         dimensions);
  }
  return size;
}

}  // namespace

std::vector<OpenSize> parse_open_sizes(const std::string& text, const jit::Module& module,
                                       const std::string& method,
                                       const std::vector<c10::IValue>& arguments) {
  std::vector<OpenSize> sizes;
  if (text.empty()) return sizes;
  if (text == "batch" || text == "0") {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i].isTensor() && arguments[i].toTensor().dim() > 0) {
        sizes.push_back({i, 0, "batch"});
      }
    }
  } else {
    for (const std::string& part : split_text(text, ',')) {
      sizes.push_back(parse_one(part, text, module, method, arguments));
    }
  }
  std::map<std::string, std::int64_t> size_of;
  std::set<std::pair<std::size_t, std::int64_t>> seen;
  for (const OpenSize& size : sizes) {
    const std::int64_t now = arguments[size.argument].toTensor().size(size.dimension);
    if (now == 0) fail("--dynamic '{}': the example input has no elements", printable(text));
    if (!seen.insert({size.argument, size.dimension}).second) {
      fail("--dynamic '{}': a dimension is named twice", printable(text));
    }
    const auto [known, first] = size_of.emplace(size.name, now);
    if (!first && known->second != now) {
      fail("--dynamic '{}': '{}' is {} in one input and {} in another; give them different names",
           printable(text), printable(size.name), known->second, now);
    }
  }
  if (sizes.empty()) fail("--dynamic '{}': the model has no tensor argument", printable(text));
  return sizes;
}

std::vector<c10::IValue> with_other_sizes(const std::vector<c10::IValue>& arguments,
                                          const std::vector<OpenSize>& sizes, int variant) {
  std::vector<c10::IValue> others = copy_of(arguments);
  std::map<std::string, std::int64_t> steps;
  for (const OpenSize& size : sizes) {
    const auto count = static_cast<std::int64_t>(steps.size());
    const std::int64_t step =
        steps.emplace(size.name, kSteps[(variant - 1) % 3] + count).first->second;
    const at::Tensor tensor = others[size.argument].toTensor();
    const std::int64_t now = tensor.size(size.dimension);
    others[size.argument] =
        tensor.index_select(size.dimension, at::arange(now + step).remainder(now));
  }
  return others;
}

}  // namespace adamec::torchscript
