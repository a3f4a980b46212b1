#include "tools/adamec-split/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "adamec/archive/value.h"
#include "adamec/base/error.h"
#include "adamec/proto/tensor_type.h"
#include "tools/adamec-split/inspect.h"
#include "tools/adamec-split/json_parts.h"

namespace adamec::tools {
namespace {

std::string joined(const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::string text;
  for (const std::string& part : texts) text += (text.empty() ? "" : " ") + printable(part);
  return text;
}

std::string record_text(std::uint64_t bytes, const std::string& sha256) {
  return fmt::format("{} bytes, sha256 {}", bytes, printable(sha256.substr(0, 12)));
}

std::string operators_text(const v1::Atom& atom) {
  std::string text;
  for (const v1::Operator& op : atom.operators()) {
    text += (text.empty() ? "" : "; ") + printable(op.name()) + "(";
    for (int i = 0; i < op.arguments_size(); ++i) {
      const v1::Argument& argument = op.arguments(i);
      text +=
          (i > 0 ? ", " : "") + printable(argument.name()) + "=" + printable(argument.literal());
      for (const v1::TensorType& type : argument.tensors()) text += tensor_layout_text(type);
    }
    text += ")";
  }
  return text;
}

template <typename Message>
std::string bytes_of(const Message& message) {
  return message.SerializeAsString();
}

std::string open_sizes_text(const v1::Tensor& tensor) {
  std::string text;
  for (const v1::OpenSize& size : tensor.open_sizes()) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", size.dimension(), size.name());
  }
  return text;
}

class Comparer {
 public:
  Comparer(const v1::Manifest& a, const v1::Manifest& b) : a_(a), b_(b) {}

  std::vector<Difference> run() {
    compare_archive();
    compare_inputs();
    changed("output", "", "structure", archive::value_text(a_.output()),
            archive::value_text(b_.output()), bytes_of(a_.output()) == bytes_of(b_.output()));
    compare_all("tensor", a_.tensors(), b_.tensors(),
                [&](const auto& x, const auto& y) { compare_tensor(x, y); });
    compare_all("atom", a_.atoms(), b_.atoms(),
                [&](const auto& x, const auto& y) { compare_atom(x, y); });
    if (found_.empty() && bytes_of(a_) != bytes_of(b_)) {
      found_.push_back({"archive", "manifest", "other fields", "", ""});
    }
    return std::move(found_);
  }

 private:
  void changed(const std::string& subject, const std::string& id, const std::string& change,
               const std::string& before, const std::string& after, bool same) {
    if (!same) found_.push_back({subject, id, change, before, after});
  }
  template <typename Value>
  void field(const std::string& subject, const std::string& id, const std::string& change,
             const Value& before, const Value& after) {
    changed(subject, id, change, printable(fmt::format("{}", before), 300),
            printable(fmt::format("{}", after), 300), before == after);
  }

  void compare_archive() {
    const auto value = [&](const char* name, const auto& before, const auto& after) {
      field("archive", name, "changed", before, after);
    };
    value("format_version", a_.format_version(), b_.format_version());
    value("model_name", a_.model_name(), b_.model_name());
    value("model_sha256", a_.model_sha256(), b_.model_sha256());
    value("model_bytes", a_.model_bytes(), b_.model_bytes());
    value("adamec_version", a_.adamec_version(), b_.adamec_version());
    value("libtorch_version", a_.libtorch_version(), b_.libtorch_version());
    value("method", a_.method(), b_.method());
    const auto granularity = [](const v1::Manifest& manifest) {
      return std::string(manifest.has_reduction() ? "block" : "operator");
    };
    value("granularity", granularity(a_), granularity(b_));
    value("operator_atoms", a_.reduction().operator_atoms(), b_.reduction().operator_atoms());
    value("assumptions", joined(a_.reduction().assumptions()),
          joined(b_.reduction().assumptions()));
  }

  void compare_inputs() {
    const int both = std::min(a_.inputs_size(), b_.inputs_size());
    for (int i = 0; i < both; ++i) {
      const std::string id = printable(a_.inputs(i).name());
      field("input", id, "name", a_.inputs(i).name(), b_.inputs(i).name());
      changed("input", id, "value", archive::value_text(a_.inputs(i).value()),
              archive::value_text(b_.inputs(i).value()),
              bytes_of(a_.inputs(i).value()) == bytes_of(b_.inputs(i).value()));
    }
    for (int i = both; i < a_.inputs_size(); ++i) {
      found_.push_back({"input", printable(a_.inputs(i).name()), "removed",
                        archive::value_text(a_.inputs(i).value()), ""});
    }
    for (int i = both; i < b_.inputs_size(); ++i) {
      found_.push_back({"input", printable(b_.inputs(i).name()), "added", "",
                        archive::value_text(b_.inputs(i).value())});
    }
  }

  // Items by id: removed ones, changed ones, added ones, and whether those in both changed order.
  template <typename Items, typename Compare>
  void compare_all(const std::string& subject, const Items& before, const Items& after,
                   Compare compare) {
    std::map<std::string, int> in_after;
    for (int i = 0; i < after.size(); ++i) in_after[after[i].id()] = i;
    std::set<std::string> in_before;
    int last = -1;
    bool moved = false;
    for (const auto& item : before) {
      in_before.insert(item.id());
      const auto other = in_after.find(item.id());
      if (other == in_after.end()) {
        found_.push_back({subject, printable(item.id()), "removed", describe(item), ""});
        continue;
      }
      const std::size_t found = found_.size();
      compare(item, after[other->second]);
      const bool same = bytes_of(item) == bytes_of(after[other->second]);
      if (found == found_.size() && !same) {
        found_.push_back({subject, printable(item.id()), "other fields", "", ""});
      }
      moved = moved || other->second < last;
      last = other->second;
    }
    for (const auto& item : after) {
      if (in_before.count(item.id()) != 0) continue;
      found_.push_back({subject, printable(item.id()), "added", "", describe(item)});
    }
    if (moved) found_.push_back({"archive", subject + "s", "order", "", ""});
  }

  static std::string describe(const v1::Tensor& tensor) {
    return tensor_layout_text(tensor.type());
  }
  static std::string describe(const v1::Atom& atom) { return printable(operators_text(atom), 300); }

  void compare_tensor(const v1::Tensor& a, const v1::Tensor& b) {
    const std::string id = printable(a.id());
    field("tensor", id, "type", tensor_layout_text(a.type()), tensor_layout_text(b.type()));
    field("tensor", id, "role", v1::TensorRole_Name(a.role()), v1::TensorRole_Name(b.role()));
    field("tensor", id, "next", a.next(), b.next());
    field("tensor", id, "open sizes", open_sizes_text(a), open_sizes_text(b));
    changed("tensor", id, "weights", record_text(a.record_bytes(), a.sha256()),
            record_text(b.record_bytes(), b.sha256()), a.sha256() == b.sha256());
  }

  void compare_atom(const v1::Atom& a, const v1::Atom& b) {
    const std::string id = printable(a.id());
    field("atom", id, "kind", kind_name(a.kind()), kind_name(b.kind()));
    const bool configured_alike = compare_operators(a, b);
    field("atom", id, "inputs", joined(a.inputs()), joined(b.inputs()));
    field("atom", id, "outputs", joined(a.outputs()), joined(b.outputs()));
    field("atom", id, "members", joined(a.members()), joined(b.members()));
    field("atom", id, "weight_bytes", a.weight_bytes(), b.weight_bytes());
    field("atom", id, "macs", a.macs(), b.macs());
    field("atom", id, "peak_activation_bytes", a.peak_activation_bytes(),
          b.peak_activation_bytes());
    field("atom", id, "source", a.source(), b.source());
    field("atom", id, "nondeterministic", a.nondeterministic(), b.nondeterministic());
    field("atom", id, "stateful", a.stateful(), b.stateful());
    // The same operators on the same tensors in another file: other weights, where it has any.
    const bool weights =
        configured_alike && a.weight_bytes() > 0 && a.weight_bytes() == b.weight_bytes();
    changed("atom", id, weights ? "weights" : "program", record_text(a.record_bytes(), a.sha256()),
            record_text(b.record_bytes(), b.sha256()), a.sha256() == b.sha256());
  }

  bool compare_operators(const v1::Atom& a, const v1::Atom& b) {
    bool same = a.operators_size() == b.operators_size();
    for (int i = 0; same && i < a.operators_size(); ++i) {
      same = bytes_of(a.operators(i)) == bytes_of(b.operators(i));
    }
    changed("atom", printable(a.id()), "configuration", printable(operators_text(a), 1000),
            printable(operators_text(b), 1000), same);
    return same;
  }

  const v1::Manifest& a_;
  const v1::Manifest& b_;
  std::vector<Difference> found_;
};

}  // namespace

std::vector<Difference> differences(const v1::Manifest& a, const v1::Manifest& b) {
  return Comparer(a, b).run();
}

std::string differences_text(const std::vector<Difference>& differences) {
  std::string text;
  for (const Difference& difference : differences) {
    text += difference.subject + (difference.id.empty() ? "" : " ") + difference.id;
    if (difference.change != "changed") text += ": " + difference.change;
    if (!difference.before.empty() && !difference.after.empty()) {
      text += fmt::format(": {} -> {}", difference.before, difference.after);
    } else if (!difference.before.empty() || !difference.after.empty()) {
      text += ": " + difference.before + difference.after;
    }
    text += "\n";
  }
  if (!text.empty()) text += fmt::format("{} differences\n", differences.size());
  return text;
}

std::string differences_json(const std::vector<Difference>& differences) {
  Json json = {{"same", differences.empty()}, {"differences", Json::array()}};
  for (const Difference& difference : differences) {
    json["differences"].push_back({{"subject", difference.subject},
                                   {"id", difference.id},
                                   {"change", difference.change},
                                   {"before", difference.before},
                                   {"after", difference.after}});
  }
  return json_text(json);
}

}  // namespace adamec::tools
