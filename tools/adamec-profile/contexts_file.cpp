#include "tools/adamec-profile/contexts_file.h"

#include <charconv>

#include "adamec/base/error.h"
#include "adamec/base/file.h"
#include "adamec/base/units.h"
#include "adamec/plan/context/yaml_fields.h"

namespace adamec::tools {
namespace {

// A scalar, or a list of them.
std::vector<std::string> scalars(const plan::YamlFields& fields, const char* key) {
  const YAML::Node node = fields.require(key);
  std::vector<std::string> texts;
  const auto add = [&](const YAML::Node& item) {
    if (!item.IsScalar() || item.Scalar().empty()) {
      fail("{}: expected a value or a list of values", fields.field(key));
    }
    texts.push_back(item.Scalar());
  };
  if (node.IsSequence()) {
    for (const YAML::Node& item : node) add(item);
  } else {
    add(node);
  }
  if (texts.empty()) fail("{}: an empty list", fields.field(key));
  return texts;
}

template <typename Number>
void take_numbers(const plan::YamlFields& fields, const char* key, std::vector<Number>& numbers) {
  if (!fields.has(key)) return;
  numbers.clear();
  for (const std::string& text : scalars(fields, key)) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, numbers.emplace_back());
    if (error != std::errc() || rest != end) {
      fail("{}: '{}' is not a number", fields.field(key), printable(text));
    }
  }
}

measure::ContextLists read_entry(const plan::YamlFields& fields,
                                 const measure::ContextLists& defaults) {
  measure::ContextLists lists = defaults;
  take_numbers(fields, "threads", lists.threads);
  take_numbers(fields, "cpu_load", lists.cpu_loads);
  take_numbers(fields, "cpu_quota", lists.cpu_quotas);
  take_numbers(fields, "frequency", lists.frequencies);
  if (fields.has("memory_limit")) {
    lists.memory_limits.clear();
    for (const std::string& text : scalars(fields, "memory_limit")) {
      lists.memory_limits.push_back(parse_bytes(text, fields.field("memory_limit")));
    }
  }
  return lists;
}

}  // namespace

std::vector<v1::Context> read_contexts(const std::string& path,
                                       const measure::ContextLists& defaults) {
  const std::string source = display_name(path);
  std::vector<v1::Context> contexts;
  try {
    const YAML::Node root = YAML::Load(read_file(path));
    const plan::YamlFields top(root, source, "file", {"contexts"});
    const YAML::Node list = top.require("contexts");
    if (!list.IsSequence()) fail("{}: expected a list", top.field("contexts"));
    for (std::size_t i = 0; i < list.size(); ++i) {
      const plan::YamlFields fields(
          list[i], source, fmt::format("contexts[{}]", i),
          {"threads", "cpu_load", "memory_limit", "cpu_quota", "frequency"});
      const auto name = [&](const std::string& field) { return fields.field(field.c_str()); };
      try {
        measure::add_contexts(read_entry(fields, defaults), name, contexts);
      } catch (const Error& error) {
        throw Error(ErrorKind::kFailed, error.what());  // of a file, not of the command line
      }
    }
  } catch (const YAML::Exception& error) {
    fail("{}:{}: {}", source, error.mark.line + 1, printable(error.msg));
  }
  if (contexts.empty()) fail("{}: contexts: expected at least one", source);
  return contexts;
}

}  // namespace adamec::tools
