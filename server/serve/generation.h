#ifndef RONDO_SERVER_SERVE_GENERATION_H_
#define RONDO_SERVER_SERVE_GENERATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "server/serve/beam_search.h"
#include "server/serve/feedback_request.h"
#include "server/serve/generate_view.h"
#include "server/serve/token_path.h"
#include "server/session/session_lease.h"

namespace rondo {

// Whoever has tokens generated: a call.
class GenerationOwner : public MessageOwner {
 public:
  // There are more tokens than before. OnMessageDone says that no more will come.
  virtual void OnTokens() = 0;
};

// One request for tokens, sampled or searched for. A session that does not move is copied and let go; one that moves is
// held until the last token, and then takes all of them at once or, on any failure, none.
//
// Ownership: borrows the context and the owner.
// Threads:   the loop's own.
class Generation : public FeedbackRequest, private TokenPath::Owner {
 public:
  Generation(const ServeContext* context, GenerationOwner* owner)
      : FeedbackRequest(context, owner, Method::kGenerate), hearer_(owner) {}

  // Starts the generation; called once at most. The owner hears OnTokens, and then OnMessageDone once, at once or
  // later; what `request` points to stays until then. `now`: when it arrived.
  void Start(const GenerateView& request, absl::Time now, absl::Time deadline);

  // The tokens that have been generated so far; once a beam search is over, those of the best sequence.
  absl::Span<const int32_t> tokens() const {
    if (path_ != nullptr) return path_->tokens();
    return beams().empty() ? absl::Span<const int32_t>() : absl::MakeConstSpan(beams().front().tokens);
  }
  // What a beam search has found so far, the best one first; empty: there is none.
  absl::Span<const FoundSequence> beams() const {
    return search_ == nullptr ? absl::Span<const FoundSequence>() : search_->found();
  }
  // The texts of the model's tokens, or null.
  const Vocabulary* vocabulary() const { return model()->spec().vocabulary.get(); }
  // Tells whether the last token is a stop token. REQUIRES: OnMessageDone has come, and the status is OK.
  bool stopped() const { return path_ != nullptr ? path_->stopped() : !beams().empty() && beams().front().stopped; }
  // The position at which the session stands, moved or as it was; 0 without a session.
  int64_t next_position() const { return next_position_; }
  // The session's position as of its last save, as SequenceResult has it.
  std::optional<int64_t> durable_position() const { return durable_position_; }

 private:
  absl::Status CheckRequest() override;
  absl::Status Open() override;
  absl::Status StartFrom(SessionLease session) override;
  void CancelPaths() override;
  void OnContinue() override {
    NoteStored();
    EndCommit(wait()->committed());
  }
  void LetGo() override;
  void OnPathDone(const absl::Status& status) override;
  void OnToken() override { hearer_->OnTokens(); }

  // Judges the request by its model, and makes tokens of its texts.
  absl::Status FitTo(const Model& model);
  // Runs from the request's initial state, which is that of `source`, or its bytes if that is empty.
  absl::Status RunFromState(SessionLease source);
  absl::Status AcquireOrCreate();
  RequestOrder Order() const;
  // Judges whether the session, which is to move, stands where the request goes on.
  absl::Status CheckPosition(const SessionLease& session) const;
  // The client is ahead of the session: another server may have moved it on. True: it is to be acquired anew, once.
  bool LooksAgain(SessionLease* session);
  // Takes the cost of the request, and runs it from `session`, or from a zero state if that is empty.
  absl::Status Run(SessionLease session);
  absl::Status MakePath(SessionLease session);
  Work WorkOfPath() const;
  // Makes a beam search in place of a path, and starts it.
  absl::Status Search(SessionLease session);
  BeamRules RulesOfBeams() const;
  Work WorkOfSearch() const;
  void Commit();
  void EndCommit(const absl::Status& status);

  GenerationOwner* const hearer_;
  GenerateView request_;
  const Model* fitted_ = nullptr;     // the model that the request was judged by last
  RequestTokens wanted_;              // by that model
  std::vector<float> initial_state_;  // where a path without a session begins; empty: where the model does
  std::unique_ptr<TokenPath> path_;
  std::unique_ptr<BeamSearch> search_;  // instead of a path
  bool looked_again_ = false;
  std::vector<float> committed_values_;
  CommittedSequence committed_;
  int64_t next_position_ = 0;
  std::optional<int64_t> durable_position_;
};

}  // namespace rondo

#endif  // RONDO_SERVER_SERVE_GENERATION_H_
