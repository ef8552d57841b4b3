#ifndef RONDO_SERVER_LOOP_FLOW_H_
#define RONDO_SERVER_LOOP_FLOW_H_

namespace rondo {

struct ClientTurns;
struct Strand;

// One client on one loop. All its flows together get as many rows of a batch as the single flow of another client.
//
// Ownership: outlives the runs of its flows and stays where it is meanwhile; only the ActiveSet of its loop looks
// inside.
class ClientFlows {
 private:
  friend class ActiveSet;
  ClientTurns* turns_ = nullptr;  // one for each network that the client has runs of
};

// Whoever shares turns with others: one stream, or one call. All runs of a flow together get as many rows of a batch as
// the single run of another flow of its client.
//
// Ownership: belongs to the stream or call, and outlives its runs; only the ActiveSet that has them looks inside.
class Flow {
 public:
  Flow() = default;
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  // Makes it a flow of `client`; without this it is one of the flows of nobody, which share the turns of one client.
  // REQUIRES: no run has been admitted.
  void BelongTo(ClientFlows* client) { client_ = client; }

 private:
  friend class ActiveSet;
  ClientFlows* client_ = nullptr;
  Strand* strands_ = nullptr;  // one for each network that the flow has runs of
};

}  // namespace rondo

#endif  // RONDO_SERVER_LOOP_FLOW_H_
