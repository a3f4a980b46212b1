#include "tests/unit/archive/example_archive.h"

#include <zip.h>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"

namespace adamec::testing {
namespace {

v1::TensorType float32(const std::vector<std::int64_t>& shape) {
  v1::TensorType type;
  type.set_dtype(v1::FLOAT32);
  for (const auto size : shape) type.add_shape(size);
  return type;
}

v1::Tensor& add_tensor(v1::Manifest& manifest, const std::string& id, v1::TensorRole role) {
  v1::Tensor& tensor = *manifest.add_tensors();
  tensor.set_id(id);
  tensor.set_role(role);
  *tensor.mutable_type() = float32({1, 3, 4, 4});
  tensor.set_bytes(192);
  return tensor;
}

v1::Atom& add_atom(v1::Manifest& manifest, const std::string& id,
                   const std::vector<std::string>& inputs, const std::string& output) {
  v1::Atom& atom = *manifest.add_atoms();
  atom.set_id(id);
  atom.set_kind(v1::OPERATOR);
  for (const auto& input : inputs) atom.add_inputs(input);
  atom.add_outputs(output);
  return atom;
}

}  // namespace

ExampleArchive example_archive() {
  ExampleArchive example;
  v1::Manifest& manifest = example.manifest;
  manifest.set_format_version(archive::kArchiveFormatVersion);
  manifest.set_model_name("example");
  add_tensor(manifest, "x", v1::INPUT);
  v1::Tensor& weight = add_tensor(manifest, "w:shared", v1::WEIGHT);
  add_tensor(manifest, "conv.conv2d:0", v1::INTERMEDIATE);
  add_tensor(manifest, "relu:0", v1::INTERMEDIATE);
  v1::Atom& conv = add_atom(manifest, "conv.conv2d", {"x", "w:shared"}, "conv.conv2d:0");
  v1::Operator& op = *conv.add_operators();
  op.set_name("aten::conv2d");
  v1::Argument& argument = *op.add_arguments();
  argument.set_name("input");
  *argument.add_tensors() = float32({1, 3, 4, 4});
  *op.add_results() = float32({1, 3, 4, 4});
  v1::Atom& relu = add_atom(manifest, "relu", {"conv.conv2d:0", "w:shared"}, "relu:0");
  v1::Input& input = *manifest.add_inputs();
  input.set_name("x");
  input.mutable_value()->set_tensor("x");
  manifest.mutable_output()->mutable_tuple()->add_items()->set_tensor("relu:0");
  manifest.mutable_output()->mutable_tuple()->add_items()->set_constant("w:shared");

  const auto store = [&](auto& item, const std::string& name, const std::string& bytes) {
    item.set_record(name);
    item.set_record_bytes(bytes.size());
    item.set_sha256(sha256_hex(bytes));
    example.records.push_back({name, bytes});
  };
  store(conv, "atoms/conv.conv2d.pt", std::string(5000, 'c'));
  store(relu, "atoms/relu.pt", "relu");
  store(weight, "weights/shared.pt", std::string("\0w\0", 3));
  return example;
}

std::string make_zip(const std::vector<std::pair<std::string, std::string>>& entries,
                     bool compress) {
  const TemporaryFolder folder;
  zip_t* zip = zip_open(folder.path("a.zip").c_str(), ZIP_CREATE, nullptr);
  for (const auto& [name, bytes] : entries) {
    const auto index = zip_file_add(
        zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), ZIP_FL_ENC_UTF_8);
    zip_set_file_compression(zip, static_cast<zip_uint64_t>(index),
                             compress ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  if (zip_close(zip) != 0) fail("a.zip: {}", zip_strerror(zip));
  return folder.read("a.zip");
}

std::vector<std::pair<std::string, std::string>> entries_of(const ExampleArchive& example) {
  std::vector<std::pair<std::string, std::string>> entries;
  entries.emplace_back("manifest.pb", example.manifest.SerializeAsString());
  for (const auto& record : example.records) entries.emplace_back(record.name, record.bytes);
  return entries;
}

std::string open_error(const std::string& path) {
  try {
    (void)archive::Reader::open(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    return message.starts_with(path + ": ") ? message.substr(path.size() + 2) : "?" + message;
  }
  return "";
}

}  // namespace adamec::testing
