#pragma once

#include <vector>

#include "adamec/archive/record_pipeline.h"
#include "adamec/torchscript/split/reference_runs.h"
#include "adamec/torchscript/split/split.h"

namespace adamec::torchscript {

// Where the atoms' records are written to as they are made; null where they are to be merged into
// blocks first.
[[nodiscard]] archive::Writer* atoms_writer(const SplitOptions& options);

// Bytes that the manifest takes at most when the records, their hashes and the verification have
// completed it.
[[nodiscard]] std::uint64_t most_manifest_bytes(v1::Manifest manifest);

// Does what is left when the records have been made: verifies the atoms (verify.h), merges them
// into blocks when asked to, sets the records' hashes. `pipeline` is the one that was started with
// the records.
void complete(const std::vector<ReferenceRun>& runs, const SplitOptions& options,
              SplitResult& result, archive::RecordPipeline& pipeline);

}  // namespace adamec::torchscript
