#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "adamec/archive/archive.h"
#include "adamec/base/error.h"
#include "tests/support/run_command.h"
#include "tests/unit/archive/example_archive.h"

// Files that are not what they should be: refused in one line, never a crash.
namespace adamec::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class HostileZip : public ::testing::Test {
 protected:
  std::string error_for(const std::string& bytes) {
    const std::string path = folder_.path("a.atoms");
    std::ofstream(path, std::ios::binary) << bytes;  // thousands of files: do not wait for the disk
    return open_error(path);
  }
  std::string error_for_names(const std::vector<std::string>& names) {
    std::vector<std::pair<std::string, std::string>> entries = entries_of(example_archive());
    for (const std::string& name : names) entries.emplace_back(name, "x");
    return error_for(make_zip(entries));
  }

  TemporaryFolder folder_;
};

// Replaces every occurrence, keeping the length: names in a zip's local and central headers.
std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  for (auto at = bytes.find(from); at != std::string::npos; at = bytes.find(from, at + 1)) {
    bytes.replace(at, from.size(), to);
  }
  return bytes;
}

TEST_F(HostileZip, AcceptsTheExample) {
  EXPECT_EQ(error_for(make_zip(entries_of(example_archive()))), "");
}

TEST_F(HostileZip, BytesAreReadLikeAFile) {
  const ExampleArchive example = example_archive();
  const auto reader = archive::Reader::from_bytes(make_zip(entries_of(example)), "m");
  EXPECT_EQ(reader.read_atom(example.manifest.atoms(1)), "relu");
  try {
    (void)archive::Reader::from_bytes("hello", "m");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "m: not an atom archive (not a zip file: Not a zip archive)");
  }
}

TEST_F(HostileZip, RefusesWhatIsNotAZip) {
  EXPECT_EQ(error_for(""), "the file is empty, expected an atom archive");
  EXPECT_EQ(error_for("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"),
            "a Git-LFS pointer, not the file itself; fetch it with 'git lfs pull'");
  EXPECT_EQ(error_for("hello\n"), "not an atom archive (not a zip file: Not a zip archive)");
  EXPECT_EQ(error_for(make_zip({{"model/data.pkl", "x"}})),
            "not an atom archive (its first entry is 'model/data.pkl', expected 'manifest.pb')");
}

TEST_F(HostileZip, RefusesWhatCannotBeRead) {
  EXPECT_EQ(open_error(folder_.path("none")), "cannot open: No such file or directory");
  EXPECT_EQ(open_error(folder_.path()), "is a folder");
  EXPECT_THAT(open_error("/dev/null"), HasSubstr("not a regular file"));
}

TEST_F(HostileZip, RefusesEveryTruncation) {
  const std::string whole = make_zip(entries_of(example_archive()));
  for (std::size_t length = 4; length < whole.size(); length += 37) {
    EXPECT_THAT(error_for(whole.substr(0, length)), StartsWith("damaged or truncated zip file ("))
        << "at " << length;
  }
}

TEST_F(HostileZip, SurvivesEveryChangedByteOfTheStructure) {
  const std::string whole = make_zip(entries_of(example_archive()));
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (whole[at] == 'c') continue;  // the filler of a record
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0xff);
    const std::string error = error_for(bytes);
    EXPECT_THAT(error, Not(AnyOf(StartsWith("?"), HasSubstr("\n")))) << "at " << at;
    refused += !error.empty();
  }
  EXPECT_GT(refused, 300u);
}

TEST_F(HostileZip, RefusesUnsafeNames) {
  for (const char* name : {"/etc/passwd", "../../x.pt", "atoms/../../x.pt", "atoms/./x.pt",
                           "atoms//x.pt", "atoms/", "C:x", "atoms\\x.pt", "atoms/a b.pt"}) {
    EXPECT_EQ(error_for_names({name}), std::string("unsafe entry name '") + name + "'");
  }
  EXPECT_EQ(error_for_names({"atoms/x\ny.pt"}), "unsafe entry name 'atoms/x\\ny.pt'");
}

TEST_F(HostileZip, RefusesDuplicateNames) {
  std::string bytes = make_zip({{"manifest.pb", "x"}, {"atoms/a.pt", "1"}, {"atoms/b.pt", "2"}});
  EXPECT_EQ(error_for(replaced(bytes, "atoms/b.pt", "atoms/a.pt")),
            "damaged or truncated zip file (two entries have the same name)");
}

TEST_F(HostileZip, RefusesCompressedEntries) {
  EXPECT_EQ(error_for(make_zip(entries_of(example_archive()), true)),
            "entry 'manifest.pb' is compressed, expected stored");
}

TEST_F(HostileZip, RefusesRecordsThatTheManifestDoesNotName) {
  EXPECT_EQ(error_for_names({"atoms/more.pt"}), "record 'atoms/more.pt' is not in the manifest");
  ExampleArchive example = example_archive();
  example.records.erase(example.records.begin());
  EXPECT_EQ(error_for(make_zip(entries_of(example))), "record 'atoms/conv.conv2d.pt' is missing");
}

TEST_F(HostileZip, RefusesSizesThatTheManifestDoesNotGive) {
  ExampleArchive example = example_archive();
  example.records[1].bytes += "!";
  EXPECT_EQ(error_for(make_zip(entries_of(example))),
            "record 'atoms/relu.pt' has 5 bytes, the manifest says 4");
}

TEST_F(HostileZip, RefusesHugeDeclaredSizes) {
  // Both sizes of the record, in its local and its central header, become almost 4 GiB.
  const std::string size("\x88\x13\0\0\x88\x13\0\0", 8);  // 5000, twice
  const std::string huge("\xf0\xff\xff\xff\xf0\xff\xff\xff", 8);
  const std::string bytes = make_zip(entries_of(example_archive()));
  ASSERT_NE(bytes.find(size), std::string::npos);
  EXPECT_EQ(error_for(replaced(bytes, size, huge)),
            "damaged or truncated zip file (Not a zip archive)");
}

TEST_F(HostileZip, RefusesAManifestThatIsNone) {
  auto entries = entries_of(example_archive());
  entries.front().second = "\xff\xff not a message";
  EXPECT_EQ(error_for(make_zip(entries)),
            "its manifest is damaged (not a message of type Manifest)");
  entries.front().second = "";
  EXPECT_EQ(error_for(make_zip(entries)), "its manifest has no format_version");
}

TEST_F(HostileZip, RefusesNewerFormats) {
  ExampleArchive example = example_archive();
  example.manifest.set_format_version(7);
  EXPECT_EQ(error_for(make_zip(entries_of(example))),
            "archive format 7, this version reads up to 1");
}

TEST_F(HostileZip, RefusesAManifestNestedWithoutEnd) {
  // output { list { items { list { ... a hundred thousand times, length-prefixed from inside out.
  std::string nested;
  const auto wrap = [&](int field) {
    std::string length;
    for (std::size_t size = nested.size(); size > 0 || length.empty(); size >>= 7) {
      length += static_cast<char>((size & 0x7f) | (size >= 0x80 ? 0x80 : 0));
    }
    nested = std::string(1, static_cast<char>(field << 3 | 2)) + length + nested;
  };
  for (int depth = 0; depth < 5000; ++depth) {
    wrap(1);
    wrap(8);
  }
  wrap(9);
  auto entries = entries_of(example_archive());
  entries.front().second += nested;
  EXPECT_EQ(error_for(make_zip(entries)),
            "its manifest is damaged (not a message of type Manifest)");
}

}  // namespace
}  // namespace adamec::testing
