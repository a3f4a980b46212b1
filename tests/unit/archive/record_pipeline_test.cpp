#include "adamec/archive/record_pipeline.h"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "adamec/base/error.h"
#include "adamec/base/sha256.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::testing {
namespace {

using archive::Record;
using archive::RecordPipeline;

std::vector<Record> records() {
  std::vector<Record> result;
  for (int i = 0; i < 50; ++i) {
    result.push_back({"atoms/" + std::to_string(i) + ".pt", std::string(i * 1000, 'a')});
  }
  return result;
}

TEST(RecordPipeline, HashesInOrderWhateverTheOrderOfCompletion) {
  const std::vector<Record> all = records();
  RecordPipeline pipeline(nullptr);
  pipeline.start(all, 0);
  for (std::size_t i = all.size(); i-- > 0;) pipeline.complete(i);
  const std::vector<std::string> hashes = pipeline.finish();
  ASSERT_EQ(hashes.size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(hashes[i], sha256_hex(all[i].bytes)) << i;
}

// The file is the one that write_archive() makes at once.
TEST(RecordPipeline, WritesTheSameArchive) {
  const TemporaryFolder folder;
  const ExampleArchive example = example_archive();
  {
    OutputFile file(folder.path("at_once.atoms"));
    archive::write_archive(file, example.manifest, example.records);
    file.commit();
  }
  OutputFile file(folder.path("pipeline.atoms"));
  archive::Writer writer(file);
  std::vector<Record> growing = example.records;
  for (Record& record : growing) record.bytes.clear();
  {
    RecordPipeline pipeline(&writer);
    pipeline.start(growing, archive::manifest_bytes(example.manifest));
    std::thread maker([&] {
      for (std::size_t i = growing.size(); i-- > 0;) {
        growing[i].bytes = example.records[i].bytes;
        pipeline.complete(i);
      }
    });
    EXPECT_EQ(pipeline.finish().size(), growing.size());
    maker.join();
  }
  writer.write_manifest(example.manifest);
  file.commit();
  EXPECT_EQ(read_file(folder.path("pipeline.atoms")), read_file(folder.path("at_once.atoms")));
}

// What is made fails half-way: nobody waits for the rest.
TEST(RecordPipeline, CanBeAbandoned) {
  const std::vector<Record> all = records();
  std::optional<RecordPipeline> pipeline(std::in_place, nullptr);
  pipeline->start(all, 0);
  pipeline->complete(0);
  pipeline.reset();
  RecordPipeline never_started(nullptr);
}

TEST(RecordPipeline, SaysWhenARecordCannotBeWritten) {
  const TemporaryFolder folder;
  OutputFile file(folder.path("a.atoms"));
  archive::Writer writer(file);
  std::vector<Record> all = records();
  all[7].name = all[3].name;
  RecordPipeline pipeline(&writer);
  pipeline.start(all, 100);
  pipeline.complete_all();
  EXPECT_THROW((void)pipeline.finish(), Error);
}

}  // namespace
}  // namespace adamec::testing
