#ifndef RONDO_MODEL_NETWORK_ELEMENT_TABLE_H_
#define RONDO_MODEL_NETWORK_ELEMENT_TABLE_H_

#include <memory>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// One type of element. Its reader takes the attributes, derives the shapes and never answers null; what it made is of
// use only if the attribute reader is ok() afterwards.
struct ElementType {
  absl::string_view name;
  std::unique_ptr<Element> (*read)(AttributeReader& reader);
};

absl::Span<const ElementType> ElementTypes();

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_ELEMENT_TABLE_H_
