#ifndef RONDO_MODEL_CONVERT_GRAPH_LAYER_CHECKS_H_
#define RONDO_MODEL_CONVERT_GRAPH_LAYER_CHECKS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "model/convert/graph/layers.h"

namespace rondo::convert {

// What the functions of layers.h share. Checks return false after a refusal under the node's name.

constexpr int64_t kMaxWindow = int64_t{1} << 20;

// Refuses a tensor that has not the shape that its element takes. An empty tensor may be left out if `optional`.
bool Fits(ElementGraph* graph, absl::string_view name, absl::string_view slot, const Array& array,
          const std::vector<int64_t>& wanted, bool optional = false);
// Refuses a value of no or too many numbers.
bool Ready(ElementGraph* graph, absl::string_view name, const Value& in);
bool WindowFits(ElementGraph* graph, absl::string_view name, const Window& window);
// The weights of a convolution: [units, in / groups, kernel] and [units].
bool ConvWeightsFit(ElementGraph* graph, absl::string_view name, int64_t channels, const Array& weight,
                    const Array& bias, const Window& window);

int64_t FirstDimension(const Array& array);  // 0: it has none
Element MakeElement(absl::string_view name, absl::string_view type, const std::vector<Value>& of, Frame frame);
// An empty array is left out.
void AddSlot(Element* element, absl::string_view name, Array array);
void SetActivation(Element* element, const Activation& activation);
// The bias of an element that has one. It is left out of the element if it is empty.
void AddBias(Element* element, Array bias);
void SetWindow(Element* element, const Window& window, bool of_pool);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_GRAPH_LAYER_CHECKS_H_
