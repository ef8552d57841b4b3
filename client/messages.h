#ifndef RONDO_CLIENT_MESSAGES_H_
#define RONDO_CLIENT_MESSAGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

// These plain values go to a Rondo server and come back. Numbers are in the user's own units; tensors are row-major.
// client/client.h includes this.
namespace rondo {

struct FeedbackDescription {
  std::string output;
  std::string input;
};

// The values of a column are sent as (value - offset) / scale, and answers read back likewise.
struct ColumnUnitDescription {
  std::string column;
  std::string series;  // whose values; empty: those of every series without a unit of its own
  double offset = 0;
  double scale = 1;
};

// How the tables are written that a model was trained on.
struct TableDescription {
  // One character each.
  std::string delimiter = ",";
  std::string decimal = ".";
  std::string thousands;                    // empty: none
  std::vector<std::string> missing_values;  // that stand for no value, beside empty cells, NA, NaN, null and the like
  std::string time;                         // the column of times; empty: none, or unknown
  std::string time_format;                  // absl::ParseTime's; empty: recognised
  std::string time_zone;                    // IANA's name; empty: UTC
  std::string step;               // "3600s", "1 day", "1 business day", "1 month", "1 month end"; empty: unknown
  std::string series;             // the column that names a row's series; empty: one series
  std::string missing = "error";  // what becomes of a cell without a value: "error", "forward_fill", "mask"
  int64_t season = 0;             // timesteps; 0: none is known
  std::vector<ColumnUnitDescription> units;
};

// One element of a model's network.
struct ElementDescription {
  std::string name;
  std::string type;             // "dense", "lstm", ...
  std::vector<std::string> of;  // what it takes: "input", or names of earlier elements
  std::string attributes;       // a JSON object
  int channels = 0;             // it answers channels x length numbers in a timestep
  int length = 0;
  int64_t parameters = 0;  // floats of its weights
  int state_size = 0;      // floats of a session's state
  std::string kernel;      // the name of the kernel that runs it, e.g. "rondo/avx512"
};

// Where in a table an input of a timestep comes from.
struct InputSourceDescription {
  std::string column;
  std::string category;  // not empty: the input is 1 where the column has this text, else 0
  int ahead = 0;         // the input is what the column has so many timesteps later, which is known before
};

// A model that a server has live.
struct ModelDescription {
  std::string name;
  int64_t version = 0;
  std::string cell;  // "lstm", "gru", "rnn": of a plain stack; "graph": anything else
  int num_layers = 0;
  int hidden_size = 0;
  int input_size = 0;               // floats a timestep that a client sends; 1 for a token model
  int output_size = 0;              // floats a timestep in a reply: [horizon][outputs][numbers an output has]
  std::vector<std::string> inputs;  // empty for a token model
  // One an input; empty: each is the number in the column of its name.
  std::vector<InputSourceDescription> input_sources;
  int64_t tokens = 0;  // vocabulary size of a token model; else 0
  std::vector<std::string> outputs;
  int horizon = 0;  // timesteps ahead that each output row covers, nearest first
  // "linear": the value; "sigmoid": the probability of a yes; "softmax": the probability of each class; "gaussian":
  // mean and standard deviation; "quantile": one number a quantile.
  std::string head;
  std::vector<double> quantiles;  // of a quantile head, ascending
  bool needs_times = false;       // each timestep needs a time
  std::vector<FeedbackDescription> feedback;
  double step_seconds = 0;  // seconds between timesteps; 0: unknown
  TableDescription table;
  std::string kernel;          // the name of the kernel that runs it, e.g. "rondo/avx512"
  std::string weights;         // how the weights of its recurrent layers are held: "f32", "bf16" or "int8"
  bool deterministic = false;  // the bits of a session's answers do not depend on what shares its batches
  // "ready": it is live; "unavailable": no file of it could be loaded, and only name, version and reason say anything.
  std::string state;
  std::string reason;  // why the newest file of this version could not be loaded; empty: that file is live
  std::vector<ElementDescription> elements;  // the network, in the order that its elements run
  bool whole_sequence = false;               // it takes whole sequences only, and has no session
  // The texts of a token model's tokens, by token; empty: it has none, or ListModels was asked.
  std::vector<std::string> vocabulary;
};

// The timesteps of one request for one session, or for none.
struct SequenceInput {
  std::string session_id;           // empty: stateless, starts from a zero state that is not kept
  std::optional<int64_t> position;  // of the first timestep; absent: whatever comes next, and no retry is safe
  std::vector<float> values;        // [timesteps][input_size]
  std::vector<int64_t> times;       // unix seconds, one a timestep; for models that need them
  bool end_session = false;         // delete the session once these timesteps have run
  bool must_exist = false;          // position 0 begins no session: NOT_FOUND if there is none
};

struct SequenceOutput {
  absl::Status status;
  int64_t next_position = 0;   // of the session; on FAILED_PRECONDITION the position that was expected
  std::vector<float> values;   // [timesteps][output_size], or [1][output_size] with last_only
  absl::Duration retry_after;  // with RESOURCE_EXHAUSTED; zero: no advice
  // Everything that the server answered up to this position survives the server; absent: it has no session store.
  std::optional<int64_t> durable_position;
};

struct PredictOptions {
  int64_t version = 0;     // 0: a live session's own, else the newest
  bool last_only = false;  // answer only the last timestep of each sequence
  // Longest time in the server; zero: only the call's deadline holds. On a stream it is each message's own deadline.
  absl::Duration timeout;
  // Streams only. The sessions that the stream moves end when the stream ends or its connection breaks, unless another
  // call has moved them since. A stream that is opened again after that finds them ended; a server that goes away
  // leaves them.
  bool end_with_stream = false;
  // Streams only. Read also answers which of the stream's sessions have ended otherwise: StreamReply::ended.
  bool tell_ended = false;
};

// A session that has ended, and why: "idle for 600 s".
struct EndedSession {
  std::string session_id;
  std::string reason;
};

// One answer of a stream. `status` not OK: the whole message was refused and nothing ran.
struct StreamReply {
  absl::Status status;
  std::vector<SequenceOutput> sequences;  // one a sequence, in request order
  absl::Duration retry_after;             // with RESOURCE_EXHAUSTED; zero: no advice
  std::vector<EndedSession> ended;        // not empty: this is no answer, but tells of these; see tell_ended
};

struct ForecastInput {
  int64_t version = 0;
  std::string session_id;              // start from this session's state; empty: from `history`
  std::vector<float> history;          // [timesteps][input_size]; only without session_id
  std::vector<int64_t> history_times;  // unix seconds, one a timestep of history
  int horizon = 1;                     // outputs wanted
  std::vector<float> known_inputs;     // [horizon - 1][input_size]; fed-back columns are ignored; empty: none known
  std::vector<int64_t> known_times;    // unix seconds, [horizon - 1]; empty: the model's step_seconds apart
  // Gaussian heads only: sample that many paths (2..1000), each feeding back its own samples. 0: one path of means.
  int num_paths = 0;
  std::vector<double> path_quantiles;  // answered instead of mean and std; ascending; empty: 0.1, 0.5, 0.9
  uint64_t seed = 0;                   // a seed that is given again samples its paths again; 0: a random seed
};

struct ForecastOutput {
  std::vector<float> values;  // [horizon][output_size]; with num_paths one number a path quantile for each output
  int64_t position = 0;       // of the session, unmoved; without one, the timesteps of history
  std::optional<int64_t> last_time;  // unix seconds of the last timestep before the first row; absent: unknown
};

// Where something begins instead of where its model does: the state of another model's session, as a decoder begins
// where an encoder stands. Elements with a state are matched by their names.
struct InitialState {
  std::string session_id;             // whose state it is; it stays as it is
  std::string exported;               // instead: what ExportSession gave
  std::vector<std::string> elements;  // that are taken over; empty: all, of both models
};

struct GenerateInput {
  int64_t version = 0;                        // 0: the session's own, else the newest
  std::string session_id;                     // whose state the tokens follow; empty: a zero state
  std::optional<int64_t> position;            // with move_session: where the session stands; 0 makes a new one
  std::vector<int32_t> prompt_tokens;         // run first; a session needs none
  std::string prompt;                         // likewise, as text, for a model with a vocabulary
  bool move_session = false;                  // the session takes the prompt and every token
  bool must_exist = false;                    // position 0 makes no session: NOT_FOUND if there is none
  int max_tokens = 0;                         // 1 or more
  double temperature = 1;                     // 0: always the most probable token
  int top_k = 0;                              // sample from so many most probable tokens only; 0: all
  double top_p = 1;                           // sample from the most probable tokens that reach this probability only
  double repetition_penalty = 1;              // what the probability of a token that has been there is raised to
  uint64_t seed = 0;                          // a seed that is given again samples the tokens again; 0: a random seed
  std::vector<int32_t> stop_tokens;           // the first of these is the last token
  std::vector<std::string> stop_texts;        // likewise, each the text of one token
  int tokens_per_message = 1;                 // at least so many come at once: more are cheaper, and later
  std::optional<InitialState> initial_state;  // instead of session_id: what the tokens follow; needs a prompt
  // 2 to 16: beam search for the most probable sequences, so many of them; nothing is sampled. 0: none.
  int num_beams = 0;
  double length_penalty = 0;  // sequences are compared by log_probability / tokens ^ length_penalty: 0 to 10
};

// One of the sequences that a beam search found.
struct Beam {
  std::vector<int32_t> tokens;
  std::string text;            // empty if the model has no vocabulary
  double log_probability = 0;  // the natural logarithm
  double score = 0;            // what it is compared by
  bool stopped = false;        // the last token is a stop token
};

// Tokens as they come, and their text, which is empty if the model has no vocabulary.
struct GeneratedPiece {
  std::vector<int32_t> tokens;
  std::string text;
};

struct GenerateOutput {
  std::vector<int32_t> tokens;  // all of them
  std::string text;
  bool stopped = false;       // the last one is a stop token
  int64_t next_position = 0;  // of the session, moved or as it was; 0 without one
  // Everything that the session took up to this position survives the server; absent: it has no session store.
  std::optional<int64_t> durable_position;
  std::vector<Beam> beams;  // of a beam search, the best one first; that one is also `tokens` and `text`
};

struct SessionDescription {
  std::string session_id;
  std::string model;
  int64_t version = 0;
  int64_t position = 0;         // timesteps consumed: the index of the next one
  absl::Duration idle_timeout;  // infinite: never ends by itself
  absl::Duration idle;          // since the last request
  absl::Duration ends_in;       // at the latest, used or not; infinite: no such end is set
};

struct CreateSessionInput {
  std::string model;
  int64_t version = 0;                         // 0: newest
  std::string session_id;                      // empty: the server makes a random 128-bit id
  std::optional<absl::Duration> idle_timeout;  // absent: the server's default; infinite: never, if the server allows it
  std::optional<InitialState> initial_state;   // absent: where the model begins
};

struct ExportedSession {
  SessionDescription session;
  std::string state;  // bytes; versioned and with a checksum, not encrypted
};

struct SessionPage {
  std::vector<SessionDescription> sessions;
  std::string next_page_token;  // empty: the last page
};

}  // namespace rondo

#endif  // RONDO_CLIENT_MESSAGES_H_
