#include "model/convert/archive/npz.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/model/convert/zip_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::HasSubstr;

// An .npy file of format 1 as numpy writes it.
std::string NpyBytes(const std::string& type, const std::string& shape, const std::string& numbers,
                     const std::string& order = "False") {
  const std::string header = "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8);
  bytes.push_back(static_cast<char>(header.size()));
  bytes.push_back(0);
  return bytes + header + numbers;
}

std::string Floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string DamageOf(const std::string& bytes) {
  const absl::StatusOr<Array> array = ParseNpy(bytes);
  return array.ok() ? "none" : std::string(array.status().message());
}

TEST(NpzTest, ArraysAreReadByNameAndOtherTypesLeftOut) {
  const auto arrays = ParseNpz(ZipBytes({{"X.npy", NpyBytes("<f4", "(2, 1)", Floats({1, 2.5F}))},
                                         {"flags.npy", NpyBytes("|b1", "(1,)", std::string(1, 1))},
                                         {"words.npy", NpyBytes("<U3", "(1,)", std::string(12, 'a'))}}));
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_EQ(arrays->size(), 2U);
  EXPECT_EQ(arrays->at("X").shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(arrays->at("X").values, (std::vector<double>{1, 2.5}));
}

TEST(NpzTest, EveryArrayThatIsCutIsDamaged) {
  const std::string bytes = NpyBytes("<f4", "(2,)", Floats({1, 2}));
  ASSERT_EQ(DamageOf(bytes), "none");
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_NE(DamageOf(bytes.substr(0, size)), "none") << size;
}

TEST(NpzTest, AShapeThatDoesNotFitItsBytesIsRefusedWithoutTakingMemory) {
  for (const char* shape :
       {"(3,)", "(-1,)", "(2147483648,)", "(4611686018427387904, 4)", "(99999999999999999999,)", "(2", "2", "()"}) {
    EXPECT_THAT(DamageOf(NpyBytes("<f4", shape, Floats({1, 2}))), HasSubstr("its shape does not fit its 8 bytes"))
        << shape;
  }
  EXPECT_THAT(DamageOf(NpyBytes("<f4", "(2,)", Floats({1, 2}), "True")), HasSubstr("Fortran's order"));
}

TEST(NpzTest, AHeaderThatIsLongerThanTheFileIsRefused) {
  std::string bytes = NpyBytes("<f4", "(2,)", Floats({1, 2}));
  bytes[9] = 0x7F;
  EXPECT_THAT(DamageOf(bytes), HasSubstr("its header is longer than the file"));
}

TEST(NpzTest, ADamagedArrayIsNamed) {
  const auto arrays = ParseNpz(ZipBytes({{"X.npy", NpyBytes("<f4", "(3,)", "abcd")}}));
  EXPECT_THAT(arrays.status().message(), HasSubstr("array 'X.npy': its shape does not fit its 4 bytes"));
}

}  // namespace
}  // namespace rondo::convert
