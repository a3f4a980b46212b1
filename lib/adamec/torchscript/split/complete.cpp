#include "adamec/torchscript/split/complete.h"

#include <limits>
#include <string>
#include <unordered_map>

#include "adamec/archive/archive.h"
#include "adamec/base/sha256.h"
#include "adamec/torchscript/split/merge.h"
#include "adamec/torchscript/split/verify.h"

namespace adamec::torchscript {
namespace {

// `hashes`: SHA-256 of the records, in their order.
void set_hashes(const std::vector<std::string>& hashes, SplitResult& result) {
  std::unordered_map<std::string, std::string> by_record;
  for (std::size_t i = 0; i < hashes.size(); ++i) by_record[result.records[i].name] = hashes[i];
  for (v1::Atom& atom : *result.manifest.mutable_atoms()) {
    atom.set_sha256(by_record.at(atom.record()));
  }
  for (v1::Tensor& tensor : *result.manifest.mutable_tensors()) {
    if (!tensor.record().empty()) tensor.set_sha256(by_record.at(tensor.record()));
  }
}

}  // namespace

archive::Writer* atoms_writer(const SplitOptions& options) {
  return options.granularity == Granularity::kBlock ? nullptr : options.writer;
}

std::uint64_t most_manifest_bytes(v1::Manifest manifest) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const std::string hash = sha256_hex("");
  for (v1::Atom& atom : *manifest.mutable_atoms()) {
    atom.set_sha256(hash);
    atom.set_record_bytes(kMost);
    atom.set_weight_bytes(kMost);
    atom.set_peak_activation_bytes(kMost);
    atom.set_macs(kMost);
    for (v1::Operator& op : *atom.mutable_operators()) {
      op.set_macs(kMost);
      for (v1::Argument& argument : *op.mutable_arguments()) {
        for (v1::TensorType& type : *argument.mutable_tensors()) type.set_subnormal_permille(1000);
      }
    }
  }
  for (v1::Tensor& tensor : *manifest.mutable_tensors()) {
    tensor.mutable_type()->set_subnormal_permille(1000);
    if (!tensor.record().empty()) tensor.set_sha256(hash);
  }
  return archive::manifest_bytes(manifest);
}

void complete(const std::vector<ReferenceRun>& runs, const SplitOptions& options,
              SplitResult& result, archive::RecordPipeline& pipeline) {
  if (options.granularity != Granularity::kBlock) {
    verify(runs, options, result);
    return set_hashes(pipeline.finish(), result);
  }
  set_hashes(pipeline.finish(), result);
  result = merge_into_lossless_blocks(std::move(result));
  archive::RecordPipeline blocks(options.writer);
  blocks.start(result.records, most_manifest_bytes(result.manifest));
  blocks.complete_all();
  verify(runs, options, result);
  set_hashes(blocks.finish(), result);
}

}  // namespace adamec::torchscript
