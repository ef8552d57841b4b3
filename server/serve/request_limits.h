#ifndef RONDO_SERVER_SERVE_REQUEST_LIMITS_H_
#define RONDO_SERVER_SERVE_REQUEST_LIMITS_H_

#include <cstddef>

namespace rondo {

// What one message or forecast may ask for.
struct ServeLimits {
  size_t max_message_bytes = 4 << 20;  // of a request and of a reply
  size_t max_timesteps = 10'000;       // of one sequence
  size_t max_sequences_per_message = 4096;
};

// What all requests that run or wait may take together; one request at most half of it.
struct WorkLimits {
  size_t max_work_steps = 50'000'000;
  size_t max_work_bytes = size_t{1} << 30;
};

struct StreamLimits {
  size_t max_streams = 10'000;        // open at once
  size_t max_pipelined_messages = 8;  // read ahead on one stream
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_REQUEST_LIMITS_H_
