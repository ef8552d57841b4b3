#ifndef RONDO_SERVER_SERVE_MESSAGE_OWNER_H_
#define RONDO_SERVER_SERVE_MESSAGE_OWNER_H_

#include "server/loop/flow.h"

namespace rondo {

// Whoever has a request and its reply made, whatever kind they are of: a call.
class MessageOwner {
 public:
  virtual ~MessageOwner() = default;
  // The reply is complete: it may be written, and the message may be used again.
  virtual void OnMessageDone() = 0;

  // The owner's requests take turns with those of other owners.
  Flow* flow() { return &flow_; }

 private:
  Flow flow_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_MESSAGE_OWNER_H_
