#ifndef RONDO_SERVER_LOOP_FLOW_H_
#define RONDO_SERVER_LOOP_FLOW_H_

namespace rondo {

struct Strand;

// Whoever shares turns with others: one stream, or one call. All runs of a flow together get as many rows of a batch as
// the single run of another flow.
//
// Ownership: belongs to the stream or call, and outlives its runs; only the ActiveSet that has them looks inside.
class Flow {
 public:
  Flow() = default;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

 private:
  friend class ActiveSet;
  Strand* strands_ = nullptr;  // one for each network that the flow has runs of
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_FLOW_H_
