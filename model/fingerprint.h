#ifndef RONDO_MODEL_FINGERPRINT_H_
#define RONDO_MODEL_FINGERPRINT_H_

#include <cstdint>

#include "model/model_spec.h"
#include "model/weights.h"

namespace rondo {

// The fingerprint of all that decides what a model computes: the spec without its provenance, and the weights as our
// files hold them. It does not depend on the machine. It finds mistakes and does not keep out forgers. REQUIRES:
// spec.Validate() and CheckWeights are OK.
uint64_t FingerprintOf(const ModelSpec& spec, const Weights& weights);

// The fingerprint of the graph alone: what a timestep is and what the elements make of it, without the weights. Two
// graphs of one fingerprint have states of one shape. 0: a plain stack, which its cell and sizes tell.
uint64_t GraphFingerprintOf(const ModelSpec& spec);

}  // namespace rondo

#endif  // RONDO_MODEL_FINGERPRINT_H_
