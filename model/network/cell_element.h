#ifndef RONDO_MODEL_NETWORK_CELL_ELEMENT_H_
#define RONDO_MODEL_NETWORK_CELL_ELEMENT_H_

#include <memory>
#include <vector>

#include "model/json/object_reader.h"
#include "model/kernels/layer.h"
#include "model/network/attribute_reader.h"
#include "model/network/cell_kernel.h"
#include "model/network/element.h"

namespace rondo {

// The recurrent cells, with torch.nn's tensors and order of gates (i f g o; r z n). Their attributes say where they
// differ from torch.nn: other functions, peepholes (ONNX LSTM's P), GRU's two places of the reset gate and two
// meanings of the update gate, the direction, and where a new session begins.
std::unique_ptr<Element> ReadLstm(AttributeReader& reader);
std::unique_ptr<Element> ReadGru(AttributeReader& reader);
std::unique_ptr<Element> ReadRnn(AttributeReader& reader);

// A cell as the attributes of an element say it, wherever the element runs it.
struct DescribedCell {
  CellForm form;
  bool initial_given = false;
  std::vector<ElementSlot> slots;

  int64_t hidden_size() const { return form.shape.hidden_size; }
  // Returns the floats of one state: h, and c of an lstm.
  int64_t state_size() const { return StateCount(form.shape.cell) * hidden_size(); }
  double products() const;
  // Writes where a new state begins into `state`, which is zeros: [state_size()].
  void WriteInitialState(SlotValues weights, float* state) const;
};

// Reads all attributes of a cell of `input_size` numbers. `reverse`: takes the direction; null: the cell has none.
DescribedCell ReadCell(Cell cell, int64_t input_size, bool* reverse, AttributeReader& reader);

// The words of descriptions for the two conventions of a gru.
const ObjectReader::Choices<GruReset>& GruResetChoices();
const ObjectReader::Choices<GruUpdate>& GruUpdateChoices();

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_CELL_ELEMENT_H_
