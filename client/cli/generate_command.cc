#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/invalid.h"
#include "client/cli/commands.h"
#include "client/cli/interrupt.h"
#include "client/cli/target.h"
#include "client/cli/whole_file.h"

namespace rondo {
namespace {

constexpr size_t kMaxPromptBytes = size_t{4} << 20;
constexpr int kTokensAtOnceForPipes = 16;  // people see each token as it comes; a program gets them cheaper
constexpr char kGenerateDescription[] =
    R"(The server samples each token from the probabilities that the model answers, and feeds it back. Text
goes in and comes out if the model's file has a vocabulary; else tokens are numbers: --prompt takes
them with commas between, and each comes out on a line of its own. The prompt is not repeated.

Without --session the text begins with the prompt. With it the text goes on from where the session
stands; the session stays there unless --move is given: then it takes the prompt and every token, or
none if the command fails.

--initial_session is a session of another model, whose state the text follows, as a decoder does an
encoder's. --beams looks for the most probable texts and samples nothing; they come as CSV, the best
one first.

examples:
  rondo generate verses --prompt="Shall I compare" --max_tokens=300 --temperature=0.7
  rondo generate verses --session=poem --move --prompt="O " --max_tokens=80 --stop=$'\n'
  rondo generate sounds --initial_session=word --prompt="<" --beams=4 --max_tokens=30 --stop=">"
)";

struct GenerateCommandOptions {
  GenerateInput input;
  std::string prompt;
  std::string prompt_file;
  InitialState initial_state;
};

absl::Status ReadNumbers(const std::string& text, std::vector<int32_t>* tokens) {
  for (const absl::string_view number : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    int32_t token = 0;
    if (!absl::SimpleAtoi(number, &token)) {
      return Invalid("the prompt has '", number, "': a model without a vocabulary takes numbers with commas between");
    }
    tokens->push_back(token);
  }
  return absl::OkStatus();
}

absl::Status ReadPrompt(const GenerateCommandOptions& options, const ModelDescription& model, GenerateInput* input) {
  std::string prompt = options.prompt;
  if (!options.prompt_file.empty()) {
    if (!prompt.empty()) return absl::InvalidArgumentError("--prompt and --prompt_file are given; wanted one of them");
    absl::StatusOr<std::string> bytes = ReadBytes(options.prompt_file, kMaxPromptBytes);
    if (!bytes.ok()) return bytes.status();
    prompt = *std::move(bytes);
  }
  if (model.vocabulary.empty()) return ReadNumbers(prompt, &input->prompt_tokens);
  input->prompt = std::move(prompt);
  return absl::OkStatus();
}

absl::Status WritePiece(const GeneratedPiece& piece, bool as_text, CsvWriter* output) {
  if (as_text) {
    output->Text(piece.text);
  } else {
    for (const int32_t token : piece.tokens) output->Text(absl::StrCat(token, "\n"));
  }
  return output->Flush();
}

absl::Status WriteBeams(const std::vector<Beam>& beams, bool as_text, CsvWriter* output) {
  absl::Status written = output->Row({"log_probability", "score", "stopped", as_text ? "text" : "tokens"});
  for (const Beam& beam : beams) {
    if (!written.ok()) return written;
    written = output->Row({absl::StrCat(beam.log_probability), absl::StrCat(beam.score), beam.stopped ? "yes" : "no",
                           as_text ? beam.text : absl::StrJoin(beam.tokens, " ")});
  }
  return written.ok() ? output->Flush() : written;
}

absl::Status RunGenerate(const CommandContext& context, const GenerateCommandOptions& options) {
  absl::StatusOr<Target> target = OpenTarget(context, options.input.session_id);
  if (!target.ok()) return target.status();
  GenerateInput input = options.input;
  if (absl::Status status = ReadPrompt(options, target->model, &input); !status.ok()) return status;
  if (input.move_session && target->session.has_value()) input.position = target->session->position();
  if (!context.stdout_is_terminal) input.tokens_per_message = kTokensAtOnceForPipes;
  const bool as_text = !target->model.vocabulary.empty();
  if (!options.initial_state.session_id.empty()) input.initial_state = options.initial_state;
  if (input.num_beams > 1) {
    const auto found = context.client.Generate(target->model.name, input);
    return found.ok() ? WriteBeams(found->beams, as_text, &context.output) : found.status();
  }
  absl::Status written;
  const auto output = context.client.Generate(target->model.name, input, [&](const GeneratedPiece& piece) {
    written = WritePiece(piece, as_text, &context.output);
    return written.ok() && !Interrupted();
  });
  if (!written.ok()) return written;
  if (!output.ok()) return output.status();
  if (as_text && context.stdout_is_terminal) context.output.Text("\n");
  return context.output.Flush();
}

}  // namespace

Command GenerateCommand() {
  constexpr int kMost = std::numeric_limits<int>::max();
  auto options = std::make_shared<GenerateCommandOptions>();
  GenerateInput* const input = &options->input;
  return {
      "generate",
      {"MODEL"},
      {{"prompt", Text(&options->prompt, "TEXT"), "What the text begins with, or goes on with in a session."},
       {"prompt_file", Text(&options->prompt_file, "FILE|-"), "Likewise, from a file; '-' is stdin."},
       Required({"max_tokens", Number(&input->max_tokens, {1, kMost}, "N"), "Tokens at most."}),
       {"temperature", Number(&input->temperature, {0, 100}, "T"),
        "Below 1 the text is more usual, above 1 more surprising; 0: always the most probable."},
       {"top_k", Number(&input->top_k, {0, kMost}, "N"), "Only the N most probable tokens; 0: all."},
       {"top_p", Number(&input->top_p, {1e-9, 1}, "P"),
        "Only the most probable tokens that reach this probability together."},
       {"repetition_penalty", Number(&input->repetition_penalty, {1, 100}, "P"),
        "The probability of a token that has been there is raised to this power."},
       {"seed", Number(&input->seed, {0, std::numeric_limits<uint64_t>::max()}, "N"),
        "A seed that is given again gives the text again; 0: a random one."},
       {"stop", TextList(&input->stop_texts, "TEXTS"), "The first of these tokens is the last; commas between."},
       SessionOption(&input->session_id),
       {"move", Switch(&input->move_session), "The session takes the prompt and every token."},
       {"initial_session", Text(&options->initial_state.session_id, "ID"),
        "A session of another model, whose state the text follows."},
       {"elements", TextList(&options->initial_state.elements, "NAMES"),
        "The elements whose state is taken over; without it all of both models."},
       {"beams", Number(&input->num_beams, {0, 16}, "N"), "Beam search: the N most probable texts, 2 to 16; 0: none."},
       {"length_penalty", Number(&input->length_penalty, {0, 10}, "P"),
        "Texts are compared by log probability / tokens ^ P."}},
      "Text that a token model samples, or finds the most probable.",
      kGenerateDescription,
      [options](const CommandContext& context) { return RunGenerate(context, *options); }};
}

}  // namespace rondo
