#include "model/network/element_table.h"

#include "model/network/arithmetic.h"
#include "model/network/causal_conv.h"
#include "model/network/cell_element.h"
#include "model/network/dense_element.h"
#include "model/network/frame_cells.h"
#include "model/network/frame_conv.h"
#include "model/network/input_elements.h"
#include "model/network/instance_elements.h"
#include "model/network/layout.h"
#include "model/network/memory.h"
#include "model/network/norms.h"
#include "model/network/past_elements.h"
#include "model/network/pooling.h"
#include "model/network/sequence_elements.h"

namespace rondo {

absl::Span<const ElementType> ElementTypes() {
  static constexpr ElementType kTypes[] = {
      {"dense", ReadDense},
      {"lstm", ReadLstm},
      {"gru", ReadGru},
      {"rnn", ReadRnn},
      {"frame_cell", ReadFrameCell},
      {"position_cell", ReadPositionCell},
      {"embedding", ReadEmbedding},
      {"standardise", ReadStandardise},
      {"scale", ReadScale},
      {"constant", ReadConstant},
      {"activation", ReadActivation},
      {"add", ReadAdd},
      {"subtract", ReadSubtract},
      {"multiply", ReadMultiply},
      {"divide", ReadDivide},
      {"concat", ReadConcat},
      {"slice", ReadSlice},
      {"reshape", ReadReshape},
      {"transpose", ReadTranspose},
      {"pad", ReadPad},
      {"lag_window", ReadLagWindow},
      {"delay", ReadDelay},
      {"memory", ReadMemory},
      {"causal_conv1d", ReadCausalConv},
      {"conv1d", ReadConv},
      {"max_pool", ReadMaxPool},
      {"average_pool", ReadAveragePool},
      {"mean", ReadMean},
      {"max", ReadMax},
      {"sum", ReadSum},
      {"layer_norm", ReadLayerNorm},
      {"l2_norm", ReadL2Norm},
      {"instance_statistics", ReadInstanceStatistics},
      {"instance_scale", ReadInstanceScale},
      {"instance_unscale", ReadInstanceUnscale},
      {"sequence_mean", ReadSequenceMean},
      {"sequence_max", ReadSequenceMax},
      {"sequence_last", ReadSequenceLast},
      {"sequence_first", ReadSequenceFirst},
      {"sequence_max_pool", ReadSequenceMaxPool},
      {"sequence_average_pool", ReadSequenceAveragePool},
  };
  return kTypes;
}

}  // namespace rondo
