#ifndef RONDO_MODEL_NETWORK_ATTRIBUTE_READER_H_
#define RONDO_MODEL_NETWORK_ATTRIBUTE_READER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/json/object_reader.h"
#include "model/kernels/activation_function.h"
#include "model/network/element.h"
#include "nlohmann/json.hpp"

namespace rondo {

// Reads the attributes of one element of a description and keeps their text: each attribute that was asked for, with
// its value or default, so that equal elements have equal texts. After the first rule broken every answer is a default
// and means nothing: an element reads all, then looks at ok().
class AttributeReader {
 public:
  static constexpr int64_t kMaxDimension = int64_t{1} << 20;  // of a frame, a kernel or a past
  struct Bounds {
    int64_t least = 1;
    int64_t most = kMaxDimension;
  };

  // Borrows the three. `inputs`: what the element's inputs answer.
  AttributeReader(ObjectReader* object, absl::Span<const Frame> inputs, absl::Status* status);

  bool ok() const { return status_->ok(); }
  // The frame of input `i`; a default if there are fewer.
  const Frame& input(size_t i = 0) const;
  size_t num_inputs() const { return inputs_.size(); }
  // Refuses another number of inputs.
  void TakeInputs(size_t wanted);

  // Required unless a default is given.
  int64_t Whole(absl::string_view key, Bounds bounds, std::optional<int64_t> absent = {});
  double Real(absl::string_view key, double absent);
  bool Flag(absl::string_view key, bool absent);
  std::string Name(absl::string_view key);  // of an element; required
  template <typename Enum>
  Enum Choice(absl::string_view key, const ObjectReader::Choices<Enum>& choices, Enum absent,
              ObjectReader::Need need = ObjectReader::Need::kOptional) {
    Enum value = absent;
    object_->Read(key, need, choices, &value);
    for (const auto& choice : choices) {
      if (choice.second == value) text_[std::string(key)] = std::string(choice.first);
    }
    return value;
  }
  // The name of a function, or {"function": name, "alpha": .., "beta": ..}.
  ActivationFunction Function(absl::string_view key, FunctionKind absent);
  // Reads the function that the element itself is, from its attributes function, alpha and beta.
  ActivationFunction OwnFunction();
  // Two whole numbers: before and after.
  std::pair<int64_t, int64_t> Padding(absl::string_view key);

  void Refuse(absl::string_view message) { object_->Refuse(message); }
  // "elements[2].units"
  std::string Where(absl::string_view key) const { return object_->Where(key); }
  // What was read: the element's text without its name, type and inputs.
  nlohmann::ordered_json TakeText() { return std::move(text_); }

 private:
  ActivationFunction FunctionOf(ObjectReader& reader, absl::string_view key);

  ObjectReader* const object_;
  const absl::Span<const Frame> inputs_;
  absl::Status* const status_;
  nlohmann::ordered_json text_ = nlohmann::ordered_json::object();
};

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_ATTRIBUTE_READER_H_
