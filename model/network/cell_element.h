#ifndef RONDO_MODEL_NETWORK_CELL_ELEMENT_H_
#define RONDO_MODEL_NETWORK_CELL_ELEMENT_H_

#include <memory>

#include "model/json/object_reader.h"
#include "model/kernels/layer.h"
#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// The recurrent cells, with torch.nn's tensors and order of gates (i f g o; r z n). Their attributes say where they
// differ from torch.nn: other functions, peepholes (ONNX LSTM's P), GRU's two places of the reset gate and two
// meanings of the update gate, the direction, and where a new session begins.
std::unique_ptr<Element> ReadLstm(AttributeReader& reader);
std::unique_ptr<Element> ReadGru(AttributeReader& reader);
std::unique_ptr<Element> ReadRnn(AttributeReader& reader);

// The words of descriptions for the two conventions of a gru.
const ObjectReader::Choices<GruReset>& GruResetChoices();
const ObjectReader::Choices<GruUpdate>& GruUpdateChoices();

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_CELL_ELEMENT_H_
