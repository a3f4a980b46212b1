#include "adamec/archive/manifest.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/base/error.h"
#include "adamec/proto/parse.h"
#include "adamec/proto/tensor_type.h"

namespace adamec::archive {
namespace {

constexpr std::size_t kMaxIdLength = 1000;

bool is_name(const std::string& text) {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= kMaxIdLength && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool is_sha256(const std::string& text) {
  const auto hex = [](unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 64 && std::all_of(text.begin(), text.end(), hex);
}

class ManifestChecker {
 public:
  ManifestChecker(const v1::Manifest& manifest, const std::string& source)
      : manifest_(manifest), source_(source) {}

  graph::AtomGraph run() {
    for (const v1::Tensor& tensor : manifest_.tensors()) check_tensor(tensor);
    for (const v1::Atom& atom : manifest_.atoms()) check_atom(atom);
    graph::AtomGraph graph = build_graph();
    check_roles(graph);
    check_state();
    check_order(graph);
    for (const v1::Input& input : manifest_.inputs()) {
      check_value(input.value(), fmt::format("input '{}'", printable(input.name())), true, 0);
    }
    check_value(manifest_.output(), "output", false, 0);
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (tensor.role() == v1::INPUT && !fed_.contains(tensor.id())) {
        fail("{}: tensor '{}' has role INPUT, but no input names it", source_, tensor.id());
      }
    }
    return graph;
  }

 private:
  void check_shape(const v1::TensorType& type, const std::string& where) {
    if (!v1::DataType_IsValid(type.dtype())) {
      fail("{}: {}: unknown dtype {}", source_, where, static_cast<int>(type.dtype()));
    }
    for (const std::int64_t size : type.shape()) {
      if (size < 0) fail("{}: {}: negative size {} in its shape", source_, where, size);
    }
    if (type.subnormal_permille() > 1000) {
      fail("{}: {}: {} of 1000 elements subnormal", source_, where, type.subnormal_permille());
    }
    check_strides(type, where);
  }

  // What they span must be memory that can be asked for.
  void check_strides(const v1::TensorType& type, const std::string& where) {
    if (type.strides().empty()) return;
    if (type.strides_size() != type.shape_size()) {
      fail("{}: {}: {} strides for {} dimensions", source_, where, type.strides_size(),
           type.shape_size());
    }
    std::int64_t span = 16;  // bytes of the largest element
    for (int i = 0; i < type.shape_size(); ++i) {
      std::int64_t bytes = 0;
      if (type.strides(i) < 0 ||
          __builtin_mul_overflow(std::max<std::int64_t>(0, type.shape(i) - 1), type.strides(i),
                                 &bytes) ||
          __builtin_mul_overflow(bytes, 16, &bytes) || __builtin_add_overflow(span, bytes, &span)) {
        fail("{}: {}: bad stride {}", source_, where, type.strides(i));
      }
    }
  }

  std::uint64_t type_bytes(const v1::TensorType& type, const std::string& where) {
    std::uint64_t bytes = std::max<std::uint64_t>(1, element_bytes(type.dtype()));
    const auto& shape = type.shape();
    if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
    for (const std::int64_t size : shape) {
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes) ||
          bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        fail("{}: {}: its shape has too many elements", source_, where);
      }
    }
    return bytes;
  }

  void check_record(const std::string& record, const std::string& expected,
                    const std::string& sha256, const std::string& where) {
    if (record != expected) {
      fail("{}: {}: record '{}', expected '{}'", source_, where, printable(record), expected);
    }
    if (!is_sha256(sha256)) {
      fail("{}: {}: sha256 '{}', expected 64 lower-case hexadecimal digits", source_, where,
           printable(sha256));
    }
    if (!records_.insert(record).second) {
      fail("{}: {}: record '{}' belongs to a different one, too", source_, where, record);
    }
  }

  void check_tensor(const v1::Tensor& tensor) {
    const auto plain = [](unsigned char c) { return c >= 0x20 && c != 0x7f; };
    if (tensor.id().empty() || tensor.id().size() > kMaxIdLength ||
        !std::all_of(tensor.id().begin(), tensor.id().end(), plain)) {
      fail("{}: bad tensor id '{}'", source_, printable(tensor.id()));
    }
    const std::string where = fmt::format("tensor '{}'", printable(tensor.id()));
    check_shape(tensor.type(), where);
    const std::uint64_t bytes = type_bytes(tensor.type(), where);
    if (tensor.type().dtype() != v1::DATA_TYPE_UNSPECIFIED && bytes != tensor.bytes()) {
      fail("{}: {}: {} bytes, but its type and shape need {}", source_, where, tensor.bytes(),
           bytes);
    }
    switch (tensor.role()) {
      case v1::INPUT:
      case v1::INTERMEDIATE:
        if (!tensor.record().empty()) {
          fail("{}: {}: only weights and state have a record", source_, where);
        }
        break;
      case v1::STATE:
      case v1::WEIGHT: {
        const std::string& record = tensor.record();
        const bool good = record.starts_with("weights/") && record.ends_with(".pt") &&
                          record.size() > 11 && is_name(record.substr(8, record.size() - 11));
        check_record(record, good ? record : "weights/<name>.pt", tensor.sha256(), where);
        break;
      }
      default:
        fail("{}: {}: unknown role {}", source_, where, static_cast<int>(tensor.role()));
    }
    if (!tensor.next().empty() && tensor.role() != v1::STATE) {
      fail("{}: {}: only state has a next value", source_, where);
    }
    for (const v1::OpenSize& size : tensor.open_sizes()) {
      if (tensor.role() != v1::INPUT ||
          size.dimension() >= static_cast<std::uint32_t>(tensor.type().shape_size())) {
        fail("{}: {}: an open size of dimension {}, which it does not have", source_, where,
             size.dimension());
      }
    }
    tensors_.emplace(tensor.id(), &tensor);
  }

  void check_state() {
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      if (tensor.role() == v1::STATE && tensors_.count(tensor.next()) == 0) {
        fail("{}: tensor '{}': unknown tensor '{}' as its next value", source_,
             printable(tensor.id()), printable(tensor.next()));
      }
    }
  }

  void check_atom(const v1::Atom& atom) {
    if (!is_name(atom.id())) {
      fail("{}: bad atom id '{}', expected letters, digits, '.', '_' and '-'", source_,
           printable(atom.id()));
    }
    const std::string where = fmt::format("atom '{}'", atom.id());
    if (!v1::AtomKind_IsValid(atom.kind()) || atom.kind() == v1::ATOM_KIND_UNSPECIFIED) {
      fail("{}: {}: unknown kind {}", source_, where, static_cast<int>(atom.kind()));
    }
    for (const v1::Operator& op : atom.operators()) {
      for (const v1::Argument& argument : op.arguments()) {
        for (const v1::TensorType& type : argument.tensors()) {
          check_shape(type, where);
          type_bytes(type, where);
        }
      }
      for (const v1::TensorType& type : op.results()) {
        check_shape(type, where);
        type_bytes(type, where);
      }
    }
    check_record(atom.record(), "atoms/" + atom.id() + ".pt", atom.sha256(), where);
  }

  graph::AtomGraph build_graph() {
    std::vector<graph::TensorDescription> tensors;
    for (const v1::Tensor& tensor : manifest_.tensors()) {
      tensors.push_back({tensor.id(), tensor.bytes()});
    }
    std::vector<graph::AtomDescription> atoms;
    for (const v1::Atom& atom : manifest_.atoms()) {
      atoms.push_back({atom.id(),
                       {atom.inputs().begin(), atom.inputs().end()},
                       {atom.outputs().begin(), atom.outputs().end()}});
    }
    return graph::AtomGraph(tensors, atoms, source_);
  }

  void check_roles(const graph::AtomGraph& graph) {
    for (int i = 0; i < manifest_.tensors_size(); ++i) {
      const bool produced = graph.tensors()[i].producer >= 0;
      if (produced != (manifest_.tensors(i).role() == v1::INTERMEDIATE)) {
        fail("{}: tensor '{}' has role {}, but {} atom produces it", source_,
             printable(manifest_.tensors(i).id()), v1::TensorRole_Name(manifest_.tensors(i).role()),
             produced ? "an" : "no");
      }
    }
  }

  void check_order(const graph::AtomGraph& graph) {
    for (std::size_t i = 0; i < graph.atoms().size(); ++i) {
      for (const int next : graph.successors(static_cast<int>(i))) {
        if (next < static_cast<int>(i)) {
          fail("{}: the atoms are not in execution order: '{}' comes before '{}', which it needs",
               source_, graph.atoms()[next].id, graph.atoms()[i].id);
        }
      }
    }
  }

  void check_named(const std::string& id, const std::string& where, bool input, bool constant) {
    const auto at = tensors_.find(id);
    if (at == tensors_.end()) fail("{}: {}: unknown tensor '{}'", source_, where, printable(id));
    const v1::TensorRole role = at->second->role();
    if (constant ? role != v1::WEIGHT : input && role != v1::INPUT) {
      fail("{}: {}: tensor '{}' has role {}, expected {}", source_, where, printable(id),
           v1::TensorRole_Name(role), constant ? "WEIGHT" : "INPUT");
    }
    if (input && !fed_.insert(id).second) {
      fail("{}: {}: tensor '{}' is an input twice", source_, where, printable(id));
    }
  }

  void check_number(const v1::Tensor& tensor, const std::string& where) {
    const v1::DataType dtype = tensor.type().dtype();
    const bool number = dtype == v1::INT64 || dtype == v1::FLOAT64 || dtype == v1::BOOL;
    if (!number || tensor.type().shape_size() != 0) {
      fail("{}: {}: tensor '{}' is no number", source_, where, printable(tensor.id()));
    }
  }

  void check_items(const v1::Value::Items& items, const std::string& where, bool input, bool dict,
                   int depth) {
    if (items.keys_size() != (dict ? items.items_size() : 0)) {
      fail("{}: {}: {} keys for {} items", source_, where, items.keys_size(), items.items_size());
    }
    for (const v1::Value& item : items.items()) check_value(item, where, input, depth + 1);
  }

  void check_value(const v1::Value& value, const std::string& where, bool input, int depth) {
    if (depth > kMaxValueDepth) {
      fail("{}: {}: nested more than {} deep", source_, where, kMaxValueDepth);
    }
    switch (value.kind_case()) {
      case v1::Value::kTensor:
        return check_named(value.tensor(), where, input, false);
      case v1::Value::kConstant:
        if (input) fail("{}: {}: a constant cannot be an input", source_, where);
        return check_named(value.constant(), where, input, true);
      case v1::Value::kNumber:
        if (input) fail("{}: {}: a number in a tensor cannot be an input", source_, where);
        check_named(value.number(), where, input, false);
        return check_number(*tensors_.at(value.number()), where);
      case v1::Value::kTuple:
        return check_items(value.tuple(), where, input, false, depth);
      case v1::Value::kList:
        return check_items(value.list(), where, input, false, depth);
      case v1::Value::kDict:
        return check_items(value.dict(), where, input, true, depth);
      case v1::Value::KIND_NOT_SET:
        fail("{}: {}: a value without content", source_, where);
      default:
        return;  // plain values
    }
  }

  const v1::Manifest& manifest_;
  const std::string& source_;
  std::map<std::string, const v1::Tensor*> tensors_;
  std::set<std::string> records_;
  std::set<std::string> fed_;
};

}  // namespace

v1::Manifest parse_manifest(const std::string& bytes, const std::string& source) {
  v1::Manifest manifest;
  if (!parse_message(manifest, bytes)) {
    fail("{}: its manifest is damaged (not a message of type Manifest)", source);
  }
  if (manifest.format_version() == 0) fail("{}: its manifest has no format_version", source);
  if (manifest.format_version() > kArchiveFormatVersion) {
    fail("{}: archive format {}, this version reads up to {}", source, manifest.format_version(),
         kArchiveFormatVersion);
  }
  return manifest;
}

graph::AtomGraph check_manifest(const v1::Manifest& manifest, const std::string& source) {
  return ManifestChecker(manifest, source).run();
}

}  // namespace adamec::archive
