#include "model/whole_sequence.h"

#include <algorithm>
#include <utility>

#include "base/finite.h"

namespace rondo {
namespace {

// Floats of all values of the sequences that run together; one sequence alone may have four times as many.
constexpr size_t kMaxFloats = size_t{1} << 24;

size_t FloatsOfRow(const Graph& graph) { return static_cast<size_t>(graph.row_floats() + graph.input().width); }

}  // namespace

size_t MaxWholeTimesteps(const Graph& graph) { return std::max<size_t>(1, 4 * kMaxFloats / FloatsOfRow(graph)); }

size_t SequencesAtOnce(const Graph& graph, absl::Span<const WholeSequence> sequences) {
  const size_t most = kMaxFloats / FloatsOfRow(graph);
  size_t count = 1, rows = sequences[0].timesteps;
  while (count < sequences.size() && rows + sequences[count].timesteps <= most) rows += sequences[count++].timesteps;
  return count;
}

// What runs together, and what the elements have answered so far.
struct WholeSequenceRunner::Batch {
  absl::Span<WholeSequence> sequences;
  Workspace* workspace;
  // One list for each clock: the first row of each sequence, then the number of all rows.
  std::vector<std::vector<size_t>> first_rows;
  std::vector<float> features;             // [rows][width of the input]
  std::vector<std::vector<float>> values;  // of each node: [rows of its clock][its width]
  std::vector<std::vector<float>> states;  // of each sequence: those of all elements

  const std::vector<size_t>& FirstRows(size_t clock) const {
    return first_rows[clock == GraphNode::kAnyClock ? 0 : clock];
  }
};

// Timesteps that an element takes one after the other, and where its answers go.
struct WholeSequenceRunner::Walk {
  size_t sequence;
  size_t begin, end;         // timesteps of its inputs
  size_t first_answer;       // the row of the answer for `begin`
  bool one_answer;           // only what it answers last is kept
  float* state;              // of all elements
  std::vector<float> own{};  // the state of a window, which begins anew
};

void WholeSequenceRunner::Run(absl::Span<WholeSequence> sequences, Workspace& workspace) const {
  Batch batch{sequences, &workspace, {}, {}, {}, {}};
  for (WholeSequence& sequence : sequences) {
    sequence.finite = true;
    batch.states.push_back(initial_state_);
    batch.states.back().resize(static_cast<size_t>(graph_.element_state_size()));
  }
  SetClocks(&batch);
  Encode(&batch);
  for (size_t node = 0; node < graph_.nodes().size(); ++node) RunElement(node, &batch);
  WriteOutputs(&batch);
}

void WholeSequenceRunner::SetClocks(Batch* batch) const {
  std::vector<size_t> rows{0};
  for (const WholeSequence& sequence : batch->sequences) rows.push_back(rows.back() + sequence.timesteps);
  batch->first_rows.push_back(std::move(rows));
  for (const size_t maker : graph_.clock_makers()) {
    const GraphNode& node = graph_.nodes()[maker];
    const size_t input = node.inputs[0];
    const std::vector<size_t>& from = batch->FirstRows(input == GraphNode::kInput ? 0 : graph_.nodes()[input].clock);
    std::vector<size_t> made{0};
    for (size_t s = 0; s + 1 < from.size(); ++s) {
      const auto timesteps = static_cast<int64_t>(from[s + 1] - from[s]);
      made.push_back(made.back() + static_cast<size_t>(node.element->time_order().windows.Count(timesteps)));
    }
    batch->first_rows.push_back(std::move(made));
  }
}

void WholeSequenceRunner::Encode(Batch* batch) const {
  const auto width = static_cast<size_t>(graph_.input().width);
  batch->features.resize(batch->first_rows[0].back() * width);
  float* to = batch->features.data();
  for (const WholeSequence& sequence : batch->sequences) {
    const size_t input_size = encoder_.input_size();
    for (size_t t = 0; t < sequence.timesteps; ++t, to += width) {
      encoder_.Encode(sequence.inputs + t * input_size, sequence.times == nullptr ? 0 : sequence.times[t], to);
    }
  }
}

void WholeSequenceRunner::RunElement(size_t node, Batch* batch) const {
  const Element& element = *graph_.nodes()[node].element;
  batch->values.emplace_back(batch->FirstRows(graph_.nodes()[node].clock).back() * WidthOf(node));
  if (element.state_size() == 0 && element.time_order().steps()) return RunRows(node, batch);
  std::vector<Walk> walks = WalksOf(node, *batch);
  const size_t at_once = padded_batch_size_.size() - 1;
  for (size_t done = 0; done < walks.size(); done += at_once) {
    RunWalks(node, absl::MakeSpan(walks).subspan(done, at_once), batch);
  }
  if (element.time_order().for_all) RepeatLast(node, batch);
}

// Without a state the timesteps of all sequences are rows like any others.
void WholeSequenceRunner::RunRows(size_t node, Batch* batch) const {
  const size_t at_once = padded_batch_size_.size() - 1;
  const std::vector<size_t>& first_rows = batch->FirstRows(graph_.nodes()[node].clock);
  const std::vector<StepRow> rows(std::min(at_once, first_rows.back()));
  size_t loaded = 0, done = 0;
  const auto run = [&] {
    batch->workspace->elements[node]->Run(absl::MakeSpan(rows).first(loaded), padded_batch_size_[loaded]);
    for (size_t i = 0; i < loaded; ++i) StoreOutput(node, i, done + i, batch);
    done += loaded;
    loaded = 0;
  };
  for (size_t s = 0; s < batch->sequences.size(); ++s) {
    for (size_t t = 0; t < first_rows[s + 1] - first_rows[s]; ++t) {
      LoadInputs(node, s, t, loaded++, *batch);
      if (loaded == at_once) run();
    }
  }
  if (loaded > 0) run();
}

std::vector<WholeSequenceRunner::Walk> WholeSequenceRunner::WalksOf(size_t node, const Batch& batch) const {
  const GraphNode& own = graph_.nodes()[node];
  const TimeWindows& windows = own.element->time_order().windows;
  const std::vector<size_t>& answers = batch.FirstRows(own.clock);
  std::vector<Walk> walks;
  for (size_t s = 0; s < batch.sequences.size(); ++s) {
    if (windows.kernel == 0) {
      walks.push_back(
          {s, 0, answers[s + 1] - answers[s], answers[s], false, const_cast<float*>(batch.states[s].data())});
      continue;
    }
    const size_t input = own.inputs[0];
    const std::vector<size_t>& from = batch.FirstRows(input == GraphNode::kInput ? 0 : graph_.nodes()[input].clock);
    const auto timesteps = static_cast<int64_t>(from[s + 1] - from[s]);
    for (size_t j = 0; j < answers[s + 1] - answers[s]; ++j) {
      const int64_t at = static_cast<int64_t>(j) * windows.stride - windows.left;
      walks.push_back({s, static_cast<size_t>(std::max<int64_t>(at, 0)),
                       static_cast<size_t>(std::min(at + windows.kernel, timesteps)), answers[s] + j, true, nullptr,
                       std::vector<float>(own.state_offset + static_cast<size_t>(own.element->state_size()))});
    }
  }
  for (Walk& walk : walks) {
    if (walk.one_answer) walk.state = walk.own.data();
  }
  return walks;
}

void WholeSequenceRunner::RunWalks(size_t node, absl::Span<Walk> walks, Batch* batch) const {
  const TimeOrder& order = graph_.nodes()[node].element->time_order();
  const auto ahead = static_cast<size_t>(order.ahead);
  BoundElement& element = *batch->workspace->elements[node];
  std::vector<StepRow> rows;
  std::vector<const Walk*> walking;  // of each row
  for (size_t step = 0;; ++step) {
    rows.clear();
    walking.clear();
    for (const Walk& walk : walks) {
      const size_t timesteps = walk.end - walk.begin;
      if (!batch->sequences[walk.sequence].finite || step >= timesteps + ahead) continue;
      if (step < timesteps) {
        LoadInputs(node, walk.sequence, order.reverse ? walk.end - 1 - step : walk.begin + step, rows.size(), *batch);
      } else {
        LoadZeros(node, rows.size(), *batch);
      }
      StepRow& row = rows.emplace_back();
      row.state_in = row.state_out = walk.state;
      row.finite = true;
      walking.push_back(&walk);
    }
    if (rows.empty()) return;
    const bool ran = element.Run(rows, padded_batch_size_[rows.size()]);
    element.CheckStates(absl::MakeSpan(rows));
    element.Commit(rows);
    for (size_t i = 0; i < rows.size(); ++i) {
      const Walk& walk = *walking[i];
      bool& finite = batch->sequences[walk.sequence].finite;
      finite = finite && ran && rows[i].finite;
      if (!finite || step < ahead) continue;
      const size_t timestep = order.reverse ? walk.end - walk.begin - 1 - step : step - ahead;
      StoreOutput(node, i, walk.first_answer + (walk.one_answer ? 0 : timestep), batch);
    }
  }
}

// The answer of the timestep that was taken last goes to all of its sequence.
void WholeSequenceRunner::RepeatLast(size_t node, Batch* batch) const {
  const size_t width = WidthOf(node);
  const bool reverse = graph_.nodes()[node].element->time_order().reverse;
  const std::vector<size_t>& first_rows = batch->FirstRows(graph_.nodes()[node].clock);
  for (size_t s = 0; s < batch->sequences.size(); ++s) {
    float* const first = batch->values[node].data() + first_rows[s] * width;
    const size_t timesteps = first_rows[s + 1] - first_rows[s];
    const std::vector<float> last(first + (reverse ? 0 : timesteps - 1) * width,
                                  first + (reverse ? 1 : timesteps) * width);
    for (size_t t = 0; t < timesteps; ++t) std::copy(last.begin(), last.end(), first + t * width);
  }
}

void WholeSequenceRunner::LoadInputs(size_t node, size_t sequence, size_t timestep, size_t place,
                                     const Batch& batch) const {
  for (const size_t input : graph_.nodes()[node].inputs) {
    const bool of_features = input == GraphNode::kInput;
    const size_t width = WidthOf(input);
    const size_t row = batch.FirstRows(of_features ? 0 : graph_.nodes()[input].clock)[sequence] + timestep;
    const std::vector<float>& from = of_features ? batch.features : batch.values[input];
    float* const to = (of_features ? batch.workspace->features : batch.workspace->values[input]).get();
    std::copy_n(from.data() + row * width, width, to + place * width);
  }
}

void WholeSequenceRunner::LoadZeros(size_t node, size_t place, const Batch& batch) const {
  for (const size_t input : graph_.nodes()[node].inputs) {
    const AlignedBuffer& to = input == GraphNode::kInput ? batch.workspace->features : batch.workspace->values[input];
    std::fill_n(to.get() + place * WidthOf(input), WidthOf(input), 0.0f);
  }
}

void WholeSequenceRunner::StoreOutput(size_t node, size_t place, size_t row, Batch* batch) const {
  const size_t width = WidthOf(node);
  std::copy_n(batch->workspace->values[node].get() + place * width, width, batch->values[node].data() + row * width);
}

// After a pool over timesteps there are fewer answers than timesteps: each stands for a part of them.
void WholeSequenceRunner::WriteOutputs(Batch* batch) const {
  const size_t width = WidthOf(graph_.output()), input_size = encoder_.input_size();
  const std::vector<size_t>& first_rows = batch->FirstRows(graph_.nodes()[graph_.output()].clock);
  for (size_t s = 0; s < batch->sequences.size(); ++s) {
    WholeSequence& sequence = batch->sequences[s];
    const size_t answers = first_rows[s + 1] - first_rows[s];
    float* to = sequence.outputs;
    for (size_t t = sequence.last_only ? sequence.timesteps - 1 : 0; t < sequence.timesteps && sequence.finite; ++t) {
      const float* const input = sequence.inputs + t * input_size;
      const size_t row = first_rows[s] + t * answers / sequence.timesteps;
      const float* const answer = batch->values[graph_.output()].data() + row * width;
      head_.Apply(&input, &answer, 1, to);
      sequence.finite = AllFinite({to, head_.output_size()});
      to += head_.output_size();
    }
  }
}

}  // namespace rondo
