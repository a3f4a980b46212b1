#include "adamec/archive/zip_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "adamec/archive/zip_file.h"
#include "adamec/base/error.h"
#include "tests/support/run_command.h"

namespace adamec::archive {
namespace {

using ::testing::HasSubstr;
using testing::run_command;
using testing::TemporaryFolder;

class ZipWriterTest : public ::testing::Test {
 protected:
  ZipWriterTest() { folder_.write("a.zip", "what was there before, longer than a zip may be"); }

  ZipWriter writer(std::uint64_t room) { return {path_, "a.zip", "first", room}; }

  // "first=1 b=22": names and contents, as libzip reads them.
  std::string content() const {
    const ZipFile zip(path_);
    std::string text;
    for (std::size_t i = 0; i < zip.entries().size(); ++i) {
      text += (i == 0 ? "" : " ") + zip.entries()[i].name + "=" + zip.read(i);
    }
    return text;
  }

  // As Python's zipfile sees it: another opinion on what a zip is.
  std::string python_says() const {
    const auto result = run_command(
        "/usr/bin/python3 -c 'import zipfile; z = zipfile.ZipFile(\"a.zip\"); print(z.testzip(), "
        "len(z.infolist()), max(i.header_offset for i in z.infolist()), "
        "z.infolist()[-1].filename)'",
        folder_.path());
    return result.exit_code == 0 ? result.out : result.err;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("a.zip");
};

TEST_F(ZipWriterTest, TheLastOneWrittenComesFirst) {
  ZipWriter zip = writer(10);
  zip.add("b", "22");
  zip.add("folder/c", "");
  zip.finish("1");
  EXPECT_EQ(content(), "first=1 b=22 folder/c=");
  EXPECT_EQ(folder_.read("a.zip").substr(0, 4), std::string("PK\3\4"));
  EXPECT_EQ(folder_.read("a.zip").substr(30, 5), "first");
}

TEST_F(ZipWriterTest, FillsAnyRemainderOfTheRoom) {
  for (const std::uint64_t spare : {0, 1, 2, 3, 4, 5, 1000, 65531, 65532, 65536, 70000, 300000}) {
    {
      ZipWriter zip = writer(3 + spare);
      zip.add("b", "22");
      zip.finish("123");
    }
    EXPECT_EQ(content(), "first=123 b=22") << spare;
    EXPECT_EQ(python_says(), "None 2 " + std::to_string(30 + 5 + 3 + spare + 4) + " b\n");
    if (run_command("command -v unzip").exit_code == 0) {
      const auto unzip = run_command("unzip -tq a.zip", folder_.path());
      EXPECT_EQ(unzip.exit_code, 0) << spare << unzip.out << unzip.err;
    }
  }
}

// Whole blocks of them are written past the system's cache; they begin and end anywhere.
TEST_F(ZipWriterTest, WritesLargeEntriesBetweenSmallOnes) {
  std::string large(33'000'123, '\0');
  std::string larger(35'000'001, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 7);
  for (std::size_t i = 0; i < larger.size(); ++i) larger[i] = static_cast<char>(i * 17 >> 9);
  {
    ZipWriter zip = writer(3);
    zip.add("b", "22");
    zip.add("large", large);
    zip.add("larger", larger);
    zip.add("c", "4444");
    zip.finish("123");
  }
  const ZipFile zip(path_);
  ASSERT_EQ(zip.entries().size(), 5U);
  EXPECT_EQ(zip.read(1), "22");
  EXPECT_TRUE(zip.read(2) == large);
  EXPECT_TRUE(zip.read(3) == larger);
  EXPECT_EQ(zip.read(4), "4444");
  EXPECT_THAT(python_says(), ::testing::StartsWith("None 5 "));
}

TEST_F(ZipWriterTest, RefusesMoreThanTheRoomAndTheSameNameTwice) {
  ZipWriter zip = writer(3);
  zip.add("b", "22");
  for (const char* name : {"b", "first"}) {
    try {
      zip.add(name, "33");
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("it is there twice"));
    }
  }
  try {
    zip.finish("1234");
    FAIL() << "wrote over what follows";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "a.zip: cannot write entry 'first': larger than expected");
  }
}

TEST_F(ZipWriterTest, OffsetsBeyondFourGibibytes) {
  const std::uint64_t room = (std::uint64_t{5} << 30) + 7;
  ZipWriter zip = writer(room);  // a hole in the file
  zip.add("b", "22");
  zip.add("c", "333");
  zip.finish("1");
  EXPECT_EQ(content(), "first=1 b=22 c=333");
  EXPECT_THAT(python_says(), HasSubstr(" c\n"));
  EXPECT_GT(std::filesystem::file_size(path_), room);
}

TEST_F(ZipWriterTest, MoreEntriesThanSixteenBitsCount) {
  {
    ZipWriter zip = writer(1);
    for (int i = 0; i < 70000; ++i) zip.add(std::to_string(i), "x");
    zip.finish("1");
  }
  const ZipFile zip(path_);
  ASSERT_EQ(zip.entries().size(), 70001U);
  EXPECT_EQ(zip.entries()[70000].name, "69999");
  EXPECT_EQ(zip.read(70000), "x");
  EXPECT_THAT(python_says(), ::testing::StartsWith("None 70001 "));
}

}  // namespace
}  // namespace adamec::archive
