#ifndef RONDO_CLIENT_WIRE_H_
#define RONDO_CLIENT_WIRE_H_

#include <cstddef>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client/messages.h"
#include "rondo/v1/inference.pb.h"
#include "rondo/v1/models.pb.h"
#include "rondo/v1/sessions.pb.h"

namespace rondo {

// Between the client's plain values and the wire's messages.

// Tells whether a second run of the sequence changes nothing.
bool IsRepeatable(const SequenceInput& sequence);

// Overwrites `request`; one that is used again keeps its memory.
void FillPredictRequest(absl::string_view model, absl::Span<const SequenceInput> sequences,
                        const PredictOptions& options, v1::PredictRequest* request);
v1::ForecastRequest ToForecastRequest(absl::string_view model, const ForecastInput& input);
v1::GenerateRequest ToGenerateRequest(absl::string_view model, const GenerateInput& input);
v1::CreateSessionRequest ToCreateSessionRequest(const CreateSessionInput& input);

absl::Status ToStatus(const v1::Status& status);
std::vector<SequenceOutput> ToSequenceOutputs(const v1::PredictResponse& response);
StreamReply ToStreamReply(const v1::PredictResponse& response);
ModelDescription ToModelDescription(const v1::Model& model);
SessionDescription ToSessionDescription(const v1::Session& session);
ForecastOutput ToForecastOutput(const v1::ForecastResponse& response);
// The tokens of one message, which are added to what came before.
GeneratedPiece AddPiece(const v1::GenerateResponse& response, GenerateOutput* output);

// Each element of a repeated field, converted.
template <typename Field, typename Convert>
auto Converted(const Field& field, const Convert& convert) {
  std::vector<std::decay_t<decltype(convert(*field.begin()))>> converted;
  converted.reserve(static_cast<size_t>(field.size()));
  for (const auto& element : field) converted.push_back(convert(element));
  return converted;
}

}  // namespace rondo

#endif  // RONDO_CLIENT_WIRE_H_
