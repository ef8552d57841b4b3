#ifndef RONDO_BASE_INPUT_SOURCE_H_
#define RONDO_BASE_INPUT_SOURCE_H_

#include <cstdint>
#include <string>

namespace rondo {

// Says where in a table a model's input comes from, if not from this timestep's number in the column of the input's
// name. A value.
struct InputSource {
  std::string column;       // empty: the one of the input's name
  std::string category;     // not empty: the input is 1 where the column has this text, else 0
  int64_t ahead = 0;        // the input of a timestep is what the column has so many timesteps later: known before
  bool remembered = false;  // the network holds on to it: 0 stands for what was sent before
};

}  // namespace rondo

#endif  // RONDO_BASE_INPUT_SOURCE_H_
