// What people write after --input.
#include "adamec/torchscript/input_spec/input_spec.h"

#include "tests/fuzz/fuzz.h"

namespace adamec::fuzz {

std::vector<std::string> seeds() {
  return {"float32[1,3,224,224]",
          "int64[1,128]<30522",
          "bool[2,2]",
          "bfloat16[]",
          "complex64[0,4]",
          "int=16000",
          "float=0.5",
          "bool=true",
          "str=text",
          "none"};
}

}  // namespace adamec::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adamec;
  fuzz::expect_refused_or_read([&] {
    const auto spec = torchscript::parse_input_spec({reinterpret_cast<const char*>(data), size});
    std::int64_t elements = 1;
    for (const std::int64_t length : spec.shape) {
      fuzz::expect(length >= 0, "sizes are not negative");
      fuzz::expect(!__builtin_mul_overflow(elements, length, &elements), "elements can be counted");
    }
    fuzz::expect(spec.bound >= 0, "a bound is not negative");
  });
  return 0;
}
