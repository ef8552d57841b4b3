#ifndef RONDO_TESTS_UNIT_RPC_INFER_REQUESTS_H_
#define RONDO_TESTS_UNIT_RPC_INFER_REQUESTS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "inference/infer_wire.pb.h"
#include "inference/open_inference.pb.h"

namespace rondo {

// The server's view of what a client sends: through the wire, where both are the same bytes.
inline inference::wire::InferRequest Received(const inference::ModelInferRequest& sent) {
  inference::wire::InferRequest received;
  EXPECT_TRUE(received.ParseFromString(sent.SerializeAsString()));
  return received;
}

template <typename T>
std::string Raw(const std::vector<T>& numbers) {
  return std::string(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(T));
}

// Adds an input without contents.
inline inference::ModelInferRequest::InferInputTensor* AddInput(const std::string& name, const std::string& datatype,
                                                                const std::vector<int64_t>& shape,
                                                                inference::ModelInferRequest* request) {
  auto* const input = request->add_inputs();
  input->set_name(name);
  input->set_datatype(datatype);
  input->mutable_shape()->Add(shape.begin(), shape.end());
  return input;
}

}  // namespace rondo

#endif  // RONDO_TESTS_UNIT_RPC_INFER_REQUESTS_H_
