#pragma once

#include <torch/script.h>

#include <sstream>
#include <string>
#include <vector>

#include "adamec/archive/archive.h"
#include "adamec/base/file.h"
#include "adamec/base/sha256.h"

namespace adamec::testing {

inline constexpr int kSize = 64;

inline std::string torchscript(const std::string& code) {
  torch::jit::Module module("M");
  module.register_attribute("training", c10::BoolType::get(), false);
  module.define(code);
  std::ostringstream stream;
  module.save(stream);
  return stream.str();
}

// Makes archives of chains of one-operator atoms: x -> atom -> t0 -> atom -> t1 ...
class ArchiveMaker {
 public:
  explicit ArchiveMaker(const std::string& model) {
    manifest_.set_format_version(archive::kArchiveFormatVersion);
    manifest_.set_model_name(model);
    v1::Input& input = *manifest_.add_inputs();
    input.set_name("x");
    input.mutable_value()->set_tensor("x");
    add_tensor("x", v1::INPUT);
    manifest_.mutable_output()->set_tensor("x");
  }

  ArchiveMaker& atom(const std::string& id, const std::string& op, const std::string& body) {
    const std::string record = torchscript("def forward(self, x):\n    return " + body + "\n");
    v1::Atom& atom = *manifest_.add_atoms();
    atom.set_id(id);
    atom.set_kind(v1::OPERATOR);
    atom.set_record("atoms/" + id + ".pt");
    atom.set_sha256(sha256_hex(record));
    atom.set_record_bytes(record.size());
    atom.add_inputs(manifest_.output().tensor());
    atom.add_outputs(id + ":0");
    v1::Operator& configuration = *atom.add_operators();
    configuration.set_name(op);
    configuration.set_backend_one_thread("one");
    configuration.set_backend_many_threads("many");
    v1::Argument& argument = *configuration.add_arguments();
    argument.set_name("self");
    *argument.add_tensors() = tensor_type();
    add_tensor(id + ":0", v1::INTERMEDIATE);
    manifest_.mutable_output()->set_tensor(id + ":0");
    records_.push_back({atom.record(), record});
    return *this;
  }

  std::string write(const std::string& path) const {
    OutputFile file(path);
    archive::write_archive(file, manifest_, records_);
    file.commit();
    return path;
  }

 private:
  static v1::TensorType tensor_type() {
    v1::TensorType type;
    type.set_dtype(v1::FLOAT32);
    type.add_shape(kSize);
    type.add_shape(kSize);
    return type;
  }

  void add_tensor(const std::string& id, v1::TensorRole role) {
    v1::Tensor& tensor = *manifest_.add_tensors();
    tensor.set_id(id);
    *tensor.mutable_type() = tensor_type();
    tensor.set_bytes(4 * kSize * kSize);
    tensor.set_role(role);
  }

  v1::Manifest manifest_;
  std::vector<archive::Record> records_;
};

}  // namespace adamec::testing
