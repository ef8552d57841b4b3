#ifndef RONDO_CLIENT_LOAD_SAMPLE_SEQUENCE_H_
#define RONDO_CLIENT_LOAD_SAMPLE_SEQUENCE_H_

#include <cstdint>
#include <random>
#include <string>

#include "client/load/exchange.h"
#include "rondo/v1/inference.pb.h"

namespace rondo::load {

// Adds values that the model accepts, token ids or its numbers around zero, and the times that it needs.
void FillSequence(const MessageShape& shape, std::mt19937_64* random, v1::Sequence* sequence);

// The id of a lane's session `index`.
std::string SessionIdOf(uint64_t run, int lane, int index);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_SAMPLE_SEQUENCE_H_
