// Sizes that a graph leaves open may move axes; no number of the network may come from them.

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/model/convert/onnx_bytes.h"

namespace rondo::convert {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kTensorFloat = 1;

// X [time, 1, 2] with "size", how many timesteps there are.
OnnxFile WithSize() {
  OnnxFile file;
  file.AddTensor(WholeTensor("zero", {}, {0}));
  file.AddNode("Shape", {"X"}, {"shape"}).AddNode("Gather", {"shape", "zero"}, {"size"});
  return file;
}

std::string OpenSizesRefusalOf(const OnnxFile& file) {
  const absl::StatusOr<ElementGraph> graph = file.Read();
  return graph.ok() ? "it was read" : std::string(graph.status().message());
}

TEST(OpenSizesTest, ASizeThatOnlyMovesAxesIsTaken) {
  OnnxFile file = WithSize();
  file.AddTensor(WholeTensor("front", {1}, {0})).AddTensor(WholeTensor("two", {1}, {2}));
  file.AddNode("Unsqueeze", {"size", "front"}, {"sizes"})
      .AddNode("Concat", {"sizes", "two"}, {"to"}, {WholeAttribute("axis", 0)})
      .AddNode("Reshape", {"X", "to"}, {"flat"})
      .AddNode("Tanh", {"flat"}, {"Y"});
  const absl::StatusOr<ElementGraph> graph = file.Read();
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_EQ(graph->elements().size(), 1U);
  EXPECT_EQ(graph->elements()[0].type, "activation");
}

TEST(OpenSizesTest, ASizeThatIsUsedAsANumberIsRefused) {
  OnnxFile file = WithSize();
  file.AddNode("Cast", {"size"}, {"number"}, {WholeAttribute("to", kTensorFloat)})
      .AddNode("Div", {"X", "number"}, {"Y"}, {}, "by_size");
  EXPECT_THAT(OpenSizesRefusalOf(file),
              HasSubstr("'by_size' (Div) uses as a number the size of the time axis 'time', which the "
                        "graph leaves open"));
}

TEST(OpenSizesTest, ASizeThatIsOneAtLeastIsComparedWithNothingElse) {
  for (const int64_t limit : {1, 100}) {
    OnnxFile file = WithSize();
    file.AddTensor(WholeTensor("limit", {}, {limit}))
        .AddTensor(FloatTensor("a", {}, {2}))
        .AddTensor(FloatTensor("b", {}, {3}));
    file.AddNode("Equal", {"size", "limit"}, {"so"}, {}, "is_it")
        .AddNode("Where", {"so", "a", "b"}, {"k"})
        .AddNode("Mul", {"X", "k"}, {"Y"});
    if (limit == 1) {
      EXPECT_EQ(OpenSizesRefusalOf(file), "it was read");
    } else {
      EXPECT_THAT(OpenSizesRefusalOf(file), HasSubstr("'is_it' (Equal) decides by the size of the time axis"));
    }
  }
}

TEST(OpenSizesTest, ASizeThatTheGraphSaysMayBeANumber) {
  OnnxFile file({20, 1, 2});
  file.AddTensor(WholeTensor("zero", {}, {0}));
  file.AddNode("Shape", {"X"}, {"shape"}).AddNode("Gather", {"shape", "zero"}, {"size"});
  file.AddNode("Cast", {"size"}, {"number"}, {WholeAttribute("to", kTensorFloat)})
      .AddNode("Div", {"X", "number"}, {"Y"});
  EXPECT_EQ(OpenSizesRefusalOf(file), "it was read");
}

}  // namespace
}  // namespace rondo::convert
