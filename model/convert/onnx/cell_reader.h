#ifndef RONDO_MODEL_CONVERT_ONNX_CELL_READER_H_
#define RONDO_MODEL_CONVERT_ONNX_CELL_READER_H_

#include <optional>
#include <string>
#include <vector>

#include "model/convert/onnx/operator.h"

namespace rondo::convert {

// What an LSTM, GRU or RNN node says of its cells.
struct OnnxCells {
  struct Direction {
    CellWeights weights;  // in our order of gates; without where the cell begins
    Json attributes;      // see AddCell
    bool reverse = false;
  };

  std::string type;  // lstm, gru or rnn
  int64_t units = 0;
  int64_t layout = 0;  // ONNX's: 0 has the sequence's axis in front of the batch's, 1 behind it
  std::vector<Direction> directions;
};

// Nullopt after a refusal.
std::optional<OnnxCells> ReadOnnxCells(OperatorCall& call, const std::string& type);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_CELL_READER_H_
