#include "model/train/checkpoint.h"

#include <cstring>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "base/files.h"
#include "model/checksum.h"

namespace rondo::train {
namespace {

constexpr absl::string_view kMagic = "RONDOCK2";
constexpr size_t kMaxBytes = size_t{1} << 36;

// Visits the members of a state in the order of the grammar: one list for writing and for reading.
template <typename State, typename Visitor>
void VisitMembers(State& state, Visitor& visit) {
  visit(state.refused);
  visit(state.refit_epochs);
  visit(state.epoch);
  visit(state.step_in_epoch);
  visit(state.parameters);
  visit(state.best_parameters);
  visit(state.learned_parameters);
  visit(state.optimizer.step);
  visit(state.optimizer.first_moment);
  visit(state.optimizer.second_moment);
  visit(state.rate.plateau_factor);
  visit(state.rate.epochs_without_gain);
  visit(state.best_loss);
  visit(state.best_epoch);
  visit(state.training_losses);
  visit(state.validation_losses);
  visit(state.loss_sum);
  visit(state.carried);
}

class Writer {
 public:
  template <typename T>
  void operator()(const T& number) {
    static_assert(std::is_arithmetic_v<T>);
    Append(&number, sizeof(number));
  }
  template <typename T>
  void operator()(const std::vector<T>& numbers) {
    (*this)(static_cast<uint64_t>(numbers.size()));
    Append(numbers.data(), numbers.size() * sizeof(T));
  }
  void Append(const void* from, size_t size) { bytes_.append(static_cast<const char*>(from), size); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class CheckpointReader {
 public:
  explicit CheckpointReader(absl::string_view bytes) : rest_(bytes) {}

  template <typename T>
  void operator()(T& number) {
    static_assert(std::is_arithmetic_v<T>);
    Take(&number, sizeof(number));
  }
  void operator()(bool& flag) {
    uint8_t byte = 0;
    (*this)(byte);
    if (byte > 1) ok_ = false;
    flag = byte == 1;
  }
  template <typename T>
  void operator()(std::vector<T>& numbers) {
    uint64_t count = 0;
    (*this)(count);
    if (count > rest_.size() / sizeof(T)) ok_ = false;
    if (!ok_) return;
    numbers.resize(count);
    Take(numbers.data(), count * sizeof(T));
  }
  bool complete() const { return ok_ && rest_.empty(); }

 private:
  void Take(void* to, size_t size) {
    if (size > rest_.size()) ok_ = false;
    if (!ok_ || size == 0) return;
    std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  absl::string_view rest_;
  bool ok_ = true;
};

}  // namespace

absl::Status CheckSizes(const LearningState& state, size_t size) {
  for (const std::vector<float>* part :
       {&state.parameters, &state.best_parameters, &state.optimizer.first_moment, &state.optimizer.second_moment}) {
    if (part->size() != size) {
      return absl::InvalidArgumentError(
          absl::StrCat("the checkpoint has ", part->size(), " parameters; this network has ", size));
    }
  }
  return absl::OkStatus();
}

std::string CheckpointBytes(const LearningState& state, uint64_t fingerprint) {
  Writer writer;
  writer.Append(kMagic.data(), kMagic.size());
  writer(fingerprint);
  VisitMembers(state, writer);
  writer(Checksum(writer.bytes()));
  return writer.bytes();
}

absl::Status WriteCheckpoint(const LearningState& state, uint64_t fingerprint, const std::string& path) {
  return WriteFileAtomically(path, {CheckpointBytes(state, fingerprint)});
}

absl::StatusOr<LearningState> ReadCheckpoint(uint64_t fingerprint, const std::string& path) {
  const absl::StatusOr<std::string> bytes = ReadSmallFile(path, kMaxBytes);
  if (!bytes.ok()) return bytes.status();
  return ParseCheckpoint(fingerprint, *bytes);
}

absl::StatusOr<LearningState> ParseCheckpoint(uint64_t fingerprint, absl::string_view bytes) {
  constexpr size_t kFrame = kMagic.size() + 2 * sizeof(uint64_t);
  if (bytes.size() < kFrame || bytes.substr(0, kMagic.size()) != kMagic) {
    return absl::DataLossError("the checkpoint does not begin as one; delete it to start again");
  }
  const absl::string_view body = bytes.substr(0, bytes.size() - sizeof(uint64_t));
  uint64_t stored_fingerprint = 0, stored_checksum = 0;
  std::memcpy(&stored_fingerprint, bytes.data() + kMagic.size(), sizeof(stored_fingerprint));
  std::memcpy(&stored_checksum, bytes.data() + body.size(), sizeof(stored_checksum));
  if (stored_checksum != Checksum(body)) {
    return absl::DataLossError("the checkpoint's checksum does not fit; delete it to start again");
  }
  if (stored_fingerprint != fingerprint) {
    return absl::FailedPreconditionError(
        "the checkpoint is of other data, options or threads; it goes on with its own only");
  }
  LearningState state;
  CheckpointReader reader(body.substr(kFrame - sizeof(uint64_t)));
  VisitMembers(state, reader);
  if (!reader.complete()) return absl::DataLossError("the checkpoint is of another version; delete it to start again");
  return state;
}

}  // namespace rondo::train
