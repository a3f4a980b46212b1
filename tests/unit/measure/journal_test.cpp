#include "adamec/measure/journal.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/run_command.h"

namespace adamec::measure {
namespace {

class JournalTest : public ::testing::Test {
 protected:
  JournalTest() { host_.set_id("here"); }

  static v1::Visit visit(const std::string& signature) {
    v1::Visit visit;
    visit.set_signature(signature);
    visit.set_block_runs(3);
    visit.add_run_us(5);
    visit.add_run_cpu_us(4);
    return visit;
  }

  testing::TemporaryFolder folder_;
  std::string path_ = folder_.path("h.samples.visits");
  v1::Host host_;
};

TEST_F(JournalTest, KeepsWhatWasAdded) {
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 0);
  v1::Journal earlier;
  *earlier.add_visits() = visit("early");
  JournalFile file(path_, host_, earlier);
  file.add(visit("one"));
  file.add(v1::Reading());
  file.add(visit("two"));
  const v1::Journal journal = read_journal(path_, host_);
  ASSERT_EQ(journal.visits_size(), 3);
  EXPECT_EQ(journal.visits(0).signature(), "early");
  EXPECT_EQ(journal.visits(2).signature(), "two");
  EXPECT_EQ(journal.readings_size(), 1);
  v1::Host other;
  other.set_id("there");
  EXPECT_EQ(read_journal(path_, other).visits_size(), 0);
  file.restart({});
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 0);
  file.add(visit("three"));
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 1);
  file.restart(journal);
  file.add(visit("four"));
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 4);
  file.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(JournalTest, IsReadableWhereverItWasCut) {
  {
    JournalFile file(path_, host_, {});
    for (int i = 0; i < 5; ++i) file.add(visit(std::to_string(i)));
  }
  const std::string bytes = folder_.read("h.samples.visits");
  int most = 0;
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    folder_.write("h.samples.visits", bytes.substr(0, size));
    const v1::Journal journal = read_journal(path_, host_);
    ASSERT_GE(journal.visits_size(), most);
    ASSERT_LE(journal.visits_size(), most + 1);
    most = journal.visits_size();
  }
  EXPECT_EQ(most, 5);
  folder_.write("h.samples.visits", bytes + std::string(100, '\0'));
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 5);
}

TEST_F(JournalTest, BelievesNoImpossibleVisit) {
  v1::Visit bad = visit("bad");
  bad.set_run_us(0, -1);
  JournalFile file(path_, host_, {});
  file.add(visit("good"));
  file.add(bad);
  EXPECT_EQ(read_journal(path_, host_).visits_size(), 1);
}

}  // namespace
}  // namespace adamec::measure
