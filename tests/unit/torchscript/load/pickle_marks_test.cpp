#include "adamec/torchscript/load/pickle_marks.h"

#include <gtest/gtest.h>

namespace adamec::torchscript {
namespace {

using namespace std::string_literals;

// The pickles are what Python's pickle.dumps(value, protocol=2) gives.
TEST(PickleMarks, AListOfOneEntry) {
  EXPECT_EQ(with_marks("\x80\x02]q\x00K\x01"s + "a."), "\x80\x02]q\x00(K\x01"s + "e.");
}

TEST(PickleMarks, ADictOfOneEntry) {  // {'a': 1}
  EXPECT_EQ(with_marks("\x80\x02}q\x00X\x01\x00\x00\x00"s + "aq\x01K\x01s."s),
            "\x80\x02}q\x00(X\x01\x00\x00\x00"s + "aq\x01K\x01u."s);
}

TEST(PickleMarks, OneInTheOther) {  // ([[1]], {'a': (2, 3)})
  EXPECT_EQ(with_marks("\x80\x02]q\x00]q\x01K\x01"s + "aa}q\x02X\x01\x00\x00\x00"s +
                       "aq\x03K\x02K\x03\x86q\x04s\x86q\x05."s),
            "\x80\x02]q\x00(]q\x01(K\x01"s + "ee}q\x02(X\x01\x00\x00\x00"s +
                "aq\x03K\x02K\x03\x86q\x04u\x86q\x05."s);
}

TEST(PickleMarks, LeavesMarkedOnesAlone) {  // [1, 2]
  const std::string pickle = "\x80\x02]q\x00(K\x01K\x02"s + "e.";
  EXPECT_EQ(with_marks(pickle), pickle);
}

TEST(PickleMarks, LeavesAloneWhatItCannotRead) {
  for (const std::string& pickle :
       {""s, "a."s, "s."s, "]K\x01"s, "\x80"s, "X\xff\xff\xff\xff"s + "a."s, "cos\nsystem"s,
        "]\x95\x00"s, "\x87."s, "t."s, "e."s}) {
    EXPECT_EQ(with_marks(pickle), pickle);
  }
}

}  // namespace
}  // namespace adamec::torchscript
