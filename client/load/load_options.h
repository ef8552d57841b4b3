#ifndef RONDO_CLIENT_LOAD_LOAD_OPTIONS_H_
#define RONDO_CLIENT_LOAD_LOAD_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/option_table.h"
#include "client/client_options.h"
#include "client/flags/connection_flags.h"
#include "client/load/arrival_schedule.h"

namespace rondo::load {

enum class Protocol { kNative, kOpenInference };

// The server that a run measures beside rondo-server, in turn with it.
enum class Baseline { kNone, kEcho, kNative };

// The tensors of a server that is no rondo-server, and so says nothing of its model in rondo.v1.
struct ForeignTensors {
  std::string input;           // one of float32
  std::vector<int64_t> shape;  // of the input, in each message; empty: the server is a rondo-server
  std::string output;
};

// When messages are sent that wait for no reply.
struct OpenLoop {
  double rate = 0;  // messages a second; 0: each message waits for the reply to the one before
  Arrivals arrivals = Arrivals::kConstant;
};

// The CPUs that the programs run on; empty: those that rondo-load was started on.
struct Placement {
  std::string generator;
  std::string echo;
};

// The options of one run of rondo-load. The value that a member has here is the option's default; LoadOptionTable has
// unit, bounds and the meaning of 0.
struct LoadOptions {
  std::string server = "127.0.0.1:8001";
  ConnectionFlags connection;  // and what was read from its files:
  ClientOptions way;
  std::string model;
  int streams = 1;
  int sessions_per_message = 1;
  int timesteps = 1;
  OpenLoop open_loop;
  int in_flight = 1;
  absl::Duration duration = absl::Seconds(10);
  absl::Duration warmup = absl::Seconds(1);
  int rounds = 0;  // as the command line is read 0 becomes what it stands for
  Protocol protocol = Protocol::kNative;
  bool string_ids = false;
  ForeignTensors foreign;
  std::string input_shape;  // as foreign.shape, in text
  int64_t session_pool = 0;
  bool keep_sessions = false;
  Baseline baseline = Baseline::kNone;
  bool stateless = false;
  bool unary = false;
  int threads = 1;
  int connections = 0;  // as `rounds`
  Placement cpus;
  bool json = false;  // how the report is printed
};

// The command line of rondo-load. Reading it fills *options, which must outlive the table.
OptionTable LoadOptionTable(LoadOptions* options);

}  // namespace rondo::load

#endif  // RONDO_CLIENT_LOAD_LOAD_OPTIONS_H_
