#ifndef RONDO_CLIENT_CLIENT_H_
#define RONDO_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/client_options.h"
#include "client/messages.h"
#include "client/predict_stream.h"
#include "client/session.h"

namespace rondo {

class ClientConnection;

// A connection to a Rondo server, or to one of several that share a session store; cheap to copy, copies share it.
// The connection is encrypted with ClientOptions::tls only: use it without on loopback, in a private network, or to a
// proxy on this host.
//
// Threads: every method may be called from any thread.
// Errors:  absl::Status with the server's code and text. A code that the server itself gave means: nothing has changed.
class Client {
 public:
  // HOST:PORT, whose name may have several addresses; IP:PORT,IP:PORT,... (of both see ClientOptions::spread); or any
  // gRPC target. Does not wait: the first call connects.
  // INVALID_ARGUMENT: address or an option.
  static absl::StatusOr<Client> Connect(absl::string_view address, const ClientOptions& options = {});

  absl::StatusOr<std::vector<ModelDescription>> ListModels() const;
  // `version` 0: the newest.
  absl::StatusOr<ModelDescription> GetModel(absl::string_view model, int64_t version = 0) const;

  // One stateless sequence: [timesteps][input_size] in, [timesteps][output_size] out.
  absl::StatusOr<std::vector<float>> Predict(absl::string_view model, absl::Span<const float> values,
                                             absl::Span<const int64_t> times = {},
                                             const PredictOptions& options = {}) const;
  // Any number of sequences in one message, each with its own status; with exactly one, its failure is the call's.
  absl::StatusOr<std::vector<SequenceOutput>> PredictMany(absl::string_view model,
                                                          absl::Span<const SequenceInput> sequences,
                                                          const PredictOptions& options = {}) const;
  PredictStream OpenStream(absl::string_view model, const PredictOptions& options = {}) const;
  absl::StatusOr<ForecastOutput> Forecast(absl::string_view model, const ForecastInput& input) const;

  // Tokens that a model samples, one after the other, or the most probable sequences of them; see GenerateInput.
  // `take`, if there is one, gets them as they come, and ends the call as CANCELLED with false. Any error: no session
  // has changed. Tried again only until tokens come.
  absl::StatusOr<GenerateOutput> Generate(absl::string_view model, const GenerateInput& input,
                                          const std::function<bool(const GeneratedPiece& piece)>& take = {}) const;

  // The session `id` where it stands; an unknown id starts at position 0 with its first step. Empty id: a new session
  // with an id of the server's. `version` 0: the session's own, else the newest. FAILED_PRECONDITION: the session
  // belongs to another model or version.
  absl::StatusOr<Session> OpenSession(absl::string_view model, absl::string_view id = "", int64_t version = 0) const;
  // A new session of those terms. If it begins with an initial state and is lost before its first step, that step is
  // NOT_FOUND: no other session begins in its place. ALREADY_EXISTS: the id is live.
  absl::StatusOr<Session> OpenSession(CreateSessionInput input) const;

  absl::StatusOr<SessionDescription> CreateSession(const CreateSessionInput& input) const;
  absl::StatusOr<SessionDescription> GetSession(absl::string_view id) const;
  // One page, in no particular order. `model` empty: all. `page_size` 0: the server's default; at most 1000. With
  // several servers a listing, from an empty token to the last page, is of one of them, each in its turn.
  absl::StatusOr<SessionPage> ListSessions(absl::string_view model = "", absl::string_view page_token = "",
                                           int page_size = 0) const;
  absl::Status DeleteSession(absl::string_view id) const;
  // Deletes the caller's sessions in the server's memory and its session store whose ids begin with `prefix` and that
  // are of `model`; empty: all ids, all models. Each of several servers is asked. Returns how many. INVALID_ARGUMENT:
  // both are empty, without `all`. After another error some may be deleted.
  absl::StatusOr<int64_t> DeleteSessions(absl::string_view prefix, absl::string_view model = "",
                                         bool all = false) const;

  // The session as bytes that ImportSession takes, of this server or another with the same model; it stays live.
  absl::StatusOr<ExportedSession> ExportSession(absl::string_view id) const;
  // A new session that goes on where the exported one stood, under its own id or `id`. DATA_LOSS: the bytes are not
  // what ExportSession gave. FAILED_PRECONDITION: the model has other weights here. NOT_FOUND, ALREADY_EXISTS.
  absl::StatusOr<SessionDescription> ImportSession(absl::string_view state, absl::string_view id = "") const;
  // One timestep of each session in one message: far cheaper than a call for each. Each session stands there once, all
  // were opened with one model and version. `inputs` [sessions][input_size], `times` one a session or none; returns one
  // output a session, in their order, each with its own status. After UNAVAILABLE or DEADLINE_EXCEEDED call again with
  // the same values.
  absl::StatusOr<std::vector<SequenceOutput>> StepMany(absl::Span<Session* const> sessions,
                                                       absl::Span<const float> inputs,
                                                       absl::Span<const int64_t> times = {}) const;

  // A copy of the live session `id` that goes on independently; `new_id` empty: an id of the server's.
  absl::StatusOr<SessionDescription> ForkSession(absl::string_view id, absl::string_view new_id = "") const;

 private:
  friend class Session;
  explicit Client(std::shared_ptr<ClientConnection> connection);

  std::shared_ptr<ClientConnection> connection_;
};

}  // namespace rondo

#endif  // RONDO_CLIENT_CLIENT_H_
