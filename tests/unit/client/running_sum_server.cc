#include "tests/unit/client/running_sum_server.h"

#include <climits>
#include <utility>

namespace rondo {

RunningSumServer::RunningSumServer(const std::string& host, int port) : host_(host), port_(port) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address(), grpc::InsecureServerCredentials(), &port_);
  builder.RegisterService(static_cast<v1::Inference::Service*>(this));
  builder.RegisterService(static_cast<v1::Sessions::Service*>(this));
  server_ = builder.BuildAndStart();
}

RunningSumServer::~RunningSumServer() {
  Release();
  server_->Shutdown();
}

void RunningSumServer::FailNext(std::deque<Fault> faults) {
  MutexLock lock(&mutex_);
  faults_ = std::move(faults);
}

void RunningSumServer::Release() {
  MutexLock lock(&mutex_);
  released_ = true;
  release_.SignalAll();
}

void RunningSumServer::AwaitRelease() {
  MutexLock lock(&mutex_);
  while (!released_) release_.Wait(&mutex_);
}

void RunningSumServer::Save() {
  MutexLock lock(&mutex_);
  has_store_ = true;
  saved_ = series_;
}

void RunningSumServer::Crash() {
  MutexLock lock(&mutex_);
  series_ = saved_;
}

void RunningSumServer::EndStreamsAfter(std::deque<int> messages) {
  MutexLock lock(&mutex_);
  stream_limits_ = std::move(messages);
}

int RunningSumServer::TakeMessageLimit() {
  MutexLock lock(&mutex_);
  if (stream_limits_.empty()) return INT_MAX;
  const int limit = stream_limits_.front();
  stream_limits_.pop_front();
  return limit;
}

void RunningSumServer::RefuseMessages(int count) {
  MutexLock lock(&mutex_);
  messages_to_refuse_ = count;
}

bool RunningSumServer::TakeMessageRefusal() {
  MutexLock lock(&mutex_);
  if (messages_to_refuse_ == 0) return false;
  --messages_to_refuse_;
  return true;
}

void RunningSumServer::FailNextStreams(std::deque<Fault> faults) {
  MutexLock lock(&mutex_);
  stream_faults_ = std::move(faults);
}

std::optional<RunningSumServer::Fault> RunningSumServer::TakeStreamFault() {
  MutexLock lock(&mutex_);
  if (stream_faults_.empty()) return std::nullopt;
  const Fault fault = stream_faults_.front();
  stream_faults_.pop_front();
  return fault;
}

std::multimap<std::string, std::string> RunningSumServer::last_metadata() const {
  MutexLock lock(&mutex_);
  return last_metadata_;
}

void RunningSumServer::NoteMetadata(const grpc::ServerContext& context) {
  MutexLock lock(&mutex_);
  last_metadata_.clear();
  for (const auto& [name, value] : context.client_metadata()) {
    last_metadata_.emplace(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
}

int RunningSumServer::predict_calls() const {
  MutexLock lock(&mutex_);
  return predict_calls_;
}

int64_t RunningSumServer::last_version() const {
  MutexLock lock(&mutex_);
  return last_version_;
}

int64_t RunningSumServer::position(const std::string& session_id) const {
  MutexLock lock(&mutex_);
  const auto found = series_.find(session_id);
  return found == series_.end() ? -1 : found->second.position;
}

std::optional<RunningSumServer::Fault> RunningSumServer::TakeFault(int64_t version) {
  MutexLock lock(&mutex_);
  ++predict_calls_;
  last_version_ = version;
  if (faults_.empty()) return std::nullopt;
  const Fault fault = faults_.front();
  faults_.pop_front();
  return fault;
}

v1::SequenceResult RunningSumServer::RunSequence(const v1::Sequence& sequence) {
  MutexLock lock(&mutex_);
  if (has_store_ && sequence.position() > 0 && series_.count(sequence.session_id()) == 0) {
    v1::SequenceResult unknown;
    unknown.mutable_status()->set_code(grpc::NOT_FOUND);
    unknown.set_durable_position(0);
    return unknown;
  }
  Series stateless;
  Series& series = sequence.session_id().empty() ? stateless : series_[sequence.session_id()];
  if (sequence.has_position() && sequence.position() == series.last_position) return series.last_result;
  v1::SequenceResult result;
  if (sequence.has_position() && sequence.position() != series.position) {
    result.mutable_status()->set_code(grpc::FAILED_PRECONDITION);
    result.mutable_status()->set_message("position " + std::to_string(sequence.position()) + "; expected " +
                                         std::to_string(series.position));
    result.set_next_position(series.position);
    return result;
  }
  series.last_position = series.position;
  for (const float value : sequence.values()) {
    series.sum += value;
    ++series.position;
    result.add_values(series.sum);
  }
  result.set_next_position(series.position);
  if (has_store_) {
    const auto saved = saved_.find(sequence.session_id());
    result.set_durable_position(saved == saved_.end() ? 0 : saved->second.position);
  }
  series.last_result = result;
  return result;
}

grpc::Status RunningSumServer::Refusal(Fault fault, grpc::ServerContext* context) {
  switch (fault) {
    case Fault::kRefuse:
      return {grpc::StatusCode::UNAVAILABLE, "draining"};
    case Fault::kMoved:
      return {grpc::StatusCode::ABORTED, "moved"};
    case Fault::kReset:
      return {grpc::StatusCode::CANCELLED, "reset"};
    case Fault::kLimit:
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "message too large"};
    case Fault::kPushBack:
    case Fault::kPushBackFar:
      context->AddTrailingMetadata("grpc-retry-pushback-ms", fault == Fault::kPushBack ? "1" : "3600000");
      return {grpc::StatusCode::RESOURCE_EXHAUSTED, "queue full"};
    case Fault::kLoseReply:
    case Fault::kHoldReply:
      break;
  }
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::Predict(grpc::ServerContext* context, const v1::PredictRequest* request,
                                       v1::PredictResponse* response) {
  NoteMetadata(*context);
  const std::optional<Fault> fault = TakeFault(request->version());
  if (fault.has_value()) {
    const grpc::Status refusal = Refusal(*fault, context);
    if (!refusal.ok()) return refusal;
  }
  if (request->model() != "sum") return {grpc::StatusCode::NOT_FOUND, "no model '" + request->model() + "'"};
  for (const v1::Sequence& sequence : request->sequences()) *response->add_results() = RunSequence(sequence);
  if (fault == Fault::kLoseReply) return {grpc::StatusCode::UNAVAILABLE, "connection reset"};
  if (fault == Fault::kHoldReply) AwaitRelease();
  const v1::SequenceResult& result = response->results(0);
  const v1::Status& first = result.status();
  if (response->results_size() == 1 && first.code() != 0) {
    if (first.code() == grpc::FAILED_PRECONDITION || result.has_durable_position()) {
      context->AddTrailingMetadata("rondo-next-position", std::to_string(result.next_position()));
    }
    return {static_cast<grpc::StatusCode>(first.code()), first.message()};
  }
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::StreamPredict(
    grpc::ServerContext* context, grpc::ServerReaderWriter<v1::PredictResponse, v1::PredictRequest>* stream) {
  NoteMetadata(*context);
  if (const std::optional<Fault> fault = TakeStreamFault()) return Refusal(*fault, context);
  v1::PredictRequest request;
  int left = TakeMessageLimit();
  while (left-- > 0 && stream->Read(&request)) {
    v1::PredictResponse response;
    if (TakeMessageRefusal()) {
      response.mutable_status()->set_code(grpc::UNAVAILABLE);
      response.mutable_status()->set_retry_after_ms(1);
    } else if (request.sequences().empty()) {
      response.mutable_status()->set_code(grpc::INVALID_ARGUMENT);
      response.mutable_status()->set_message("0 sequences");
    } else {
      for (const v1::Sequence& sequence : request.sequences()) *response.add_results() = RunSequence(sequence);
    }
    if (!stream->Write(response)) break;
  }
  if (left < 0) {
    v1::PredictResponse going_away;
    going_away.mutable_going_away();
    stream->Write(going_away);
    return {grpc::StatusCode::UNAVAILABLE, "draining"};
  }
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::GetSession(grpc::ServerContext* /*context*/, const v1::GetSessionRequest* request,
                                          v1::Session* response) {
  MutexLock lock(&mutex_);
  const auto found = series_.find(request->session_id());
  if (found == series_.end()) return {grpc::StatusCode::NOT_FOUND, "no session '" + request->session_id() + "'"};
  response->set_session_id(found->first);
  response->set_model("sum");
  response->set_version(1);
  response->set_position(found->second.position);
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::CreateSession(grpc::ServerContext* /*context*/, const v1::CreateSessionRequest* request,
                                             v1::Session* response) {
  MutexLock lock(&mutex_);
  response->set_session_id(request->session_id().empty() ? "made" + std::to_string(series_.size())
                                                         : request->session_id());
  response->set_model(request->model());
  response->set_version(1);
  response->set_idle_timeout_seconds(request->idle_timeout_seconds());
  series_[response->session_id()] = Series();
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::ExportSession(grpc::ServerContext* context, const v1::ExportSessionRequest* request,
                                             v1::ExportSessionResponse* response) {
  v1::GetSessionRequest wanted;
  wanted.set_session_id(request->session_id());
  response->set_state("state of " + request->session_id());
  return GetSession(context, &wanted, response->mutable_session());
}

grpc::Status RunningSumServer::ForkSession(grpc::ServerContext*, const v1::ForkSessionRequest* request,
                                           v1::Session* response) {
  MutexLock lock(&mutex_);
  const auto found = series_.find(request->session_id());
  if (found == series_.end()) return {grpc::NOT_FOUND, "no session '" + request->session_id() + "'"};
  const Series copy = found->second;
  series_[request->new_session_id()] = copy;
  response->set_session_id(request->new_session_id());
  response->set_model("sum");
  response->set_version(1);
  response->set_position(copy.position);
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::ListSessions(grpc::ServerContext*, const v1::ListSessionsRequest* request,
                                            v1::ListSessionsResponse* response) {
  const std::string& token = request->page_token();
  const size_t mark = token_mark().size();
  if (!token.empty() && token.substr(0, mark) != token_mark()) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "the page token is not one of this server's"};
  }
  MutexLock lock(&mutex_);
  auto next = token.empty() ? series_.begin() : series_.upper_bound(token.substr(mark));
  if (next == series_.end()) return grpc::Status::OK;
  response->add_sessions()->set_session_id(next->first);
  const std::string listed = next->first;
  if (++next != series_.end()) response->set_next_page_token(token_mark() + listed);
  return grpc::Status::OK;
}

grpc::Status RunningSumServer::DeleteSessions(grpc::ServerContext*, const v1::DeleteSessionsRequest* request,
                                              v1::DeleteSessionsResponse* response) {
  if (!request->page_token().empty() && request->page_token() != token_mark()) {
    return {grpc::StatusCode::INVALID_ARGUMENT, "the page token is not one of this server's"};
  }
  MutexLock lock(&mutex_);
  const auto found = series_.lower_bound(request->prefix());
  const bool is_there =
      found != series_.end() && found->first.compare(0, request->prefix().size(), request->prefix()) == 0;
  if (!is_there) return grpc::Status::OK;
  series_.erase(found);
  response->set_deleted(1);
  response->set_next_page_token(token_mark());
  return grpc::Status::OK;
}

}  // namespace rondo
