#ifndef RONDO_MODEL_NETWORK_FRAME_CELLS_H_
#define RONDO_MODEL_NETWORK_FRAME_CELLS_H_

#include <memory>

#include "model/network/attribute_reader.h"
#include "model/network/element.h"

namespace rondo {

// Recurrent cells within a timestep's frame, as dual-path networks have them: each position of the length, a frequency
// for example, is a vector of the channels.

// A cell that goes along the positions and begins anew in each timestep. It keeps no state.
std::unique_ptr<Element> ReadFrameCell(AttributeReader& reader);
// A cell that steps in time at each position: equal weights at all of them, and a state of its own at each.
std::unique_ptr<Element> ReadPositionCell(AttributeReader& reader);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_FRAME_CELLS_H_
