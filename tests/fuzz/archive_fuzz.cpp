// Reading an archive: the zip, its manifest, all records.
#include "adamec/archive/archive.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/archive/example_archive.h"

namespace adamec::fuzz {

std::vector<std::string> seeds() {
  return {testing::make_zip(testing::entries_of(testing::example_archive())),
          testing::make_zip(testing::entries_of(testing::example_archive()), true)};
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  fuzz::expect_refused_or_read([&] {
    const auto reader =
        archive::Reader::from_bytes(std::string(reinterpret_cast<const char*>(data), size), "fuzz");
    std::size_t bytes = 0;
    for (const v1::Atom& atom : reader.manifest().atoms()) bytes += reader.read_atom(atom).size();
    for (const v1::Tensor& tensor : reader.manifest().tensors()) {
      if (tensor.role() == v1::WEIGHT) bytes += reader.read_weight(tensor).size();
    }
    fuzz::expect(bytes <= size, "records fit into the file");
  });
  return 0;
}
