#ifndef RONDO_MODEL_CONVERT_GRAPH_METADATA_KEYS_H_
#define RONDO_MODEL_CONVERT_GRAPH_METADATA_KEYS_H_

namespace rondo::convert {

// What an ONNX graph that was written here says of itself in its metadata: the description's keys that say nothing of
// the elements (units, calendar, head ...), and the tensors that the network itself begins and ends with, in between
// what a server does before and after it. Width 0: tokens.
constexpr char kServedKey[] = "rondo", kNetworkInputKey[] = "rondo.input", kNetworkWidthKey[] = "rondo.width",
               kNetworkOutputKey[] = "rondo.output";

// What such a graph calls its own first input and its output.
constexpr char kGivenName[] = "X", kAnswerName[] = "Y";

// What it calls its states, where it takes one timestep a call: state_0_NAME_in comes back in state_0_NAME_out.
constexpr char kStatePrefix[] = "state_", kStateInput[] = "_in", kStateOutput[] = "_out";

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_GRAPH_METADATA_KEYS_H_
