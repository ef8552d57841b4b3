#ifndef RONDO_MODEL_NETWORK_TABLE_H_
#define RONDO_MODEL_NETWORK_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "model/network.h"
#include "model/network/element.h"

namespace rondo {

// One element of a network, for people.
struct NetworkTableRow {
  std::string name;
  std::string type;
  std::vector<std::string> of;  // "input", or names of earlier rows
  std::string attributes;       // a JSON object
  Frame output;
  int64_t parameters = 0;  // floats of weights
  int64_t state_size = 0;  // floats of one session's state
  std::string kernel;      // the name of what runs it
};

// The elements of a network in the order that they run. A plain stack is shown as the graph that it means, with its
// encoder in front and its linear layer behind.
std::vector<NetworkTableRow> NetworkTable(const Network& network);

}  // namespace rondo

#endif  // RONDO_MODEL_NETWORK_TABLE_H_
