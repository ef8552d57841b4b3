import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import rondo.v1.InferenceGrpc;
import rondo.v1.PredictRequest;
import rondo.v1.PredictResponse;
import rondo.v1.Sequence;

/** Sends three days of weather to a live session, one by one; prints what the model expects for the day after each. */
final class Seattle {
  // temp_max, temp_min, precipitation, wind, as `rondo models` lists them.
  static final List<List<Float>> DAYS =
      List.of(List.of(5.6f, -3.2f, 0f, 1.2f), List.of(5.6f, 0f, 1.5f, 2.3f), List.of(5f, 1.7f, 0f, 1.7f));

  /** What a reply has for its one sequence; throws the reason if it has nothing. */
  static List<Float> answer(PredictResponse reply) throws StatusException {
    if (reply == null || reply.hasGoingAway()) {
      throw Status.UNAVAILABLE.withDescription("the server shuts down").asException();
    }
    var refusal = reply.hasStatus() ? reply.getStatus() : reply.getResults(0).getStatus();  // the message's or its own
    if (refusal.getCode() != 0) {
      throw Status.fromCodeValue(refusal.getCode()).withDescription(refusal.getMessage()).asException();
    }
    return reply.getResults(0).getValuesList();
  }

  static void predict(ManagedChannel channel, String model) throws StatusException, InterruptedException {
    var stream = InferenceGrpc.newBlockingV2Stub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).streamPredict();
    String session = UUID.randomUUID().toString();
    Instant newYear = Instant.parse("2015-01-01T00:00:00Z");
    for (int position = 0; position < DAYS.size(); position++) {
      var sequence = Sequence.newBuilder().setSessionId(session).setPosition(position)
          .addAllValues(DAYS.get(position)).addTimes(newYear.plus(position, ChronoUnit.DAYS).getEpochSecond())
          .setEndSession(position == DAYS.size() - 1);
      stream.write(PredictRequest.newBuilder().setModel(model).addSequences(sequence).build());
      System.out.printf("day %d: tomorrow %s%n", position + 1, answer(stream.read()));
    }
    stream.halfClose();
  }

  public static void main(String[] args) throws InterruptedException {
    String address = System.getenv().getOrDefault("RONDO_SERVER", "127.0.0.1:8001");
    ManagedChannel channel = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
    try {
      predict(channel, args.length > 0 ? args[0] : "seattle");
    } catch (StatusException refused) {
      System.err.println(refused.getMessage());
      if (refused.getCause() != null) {
        System.err.println(refused.getCause().getMessage());
      }
      System.exit(1);
    } finally {
      channel.shutdownNow();
    }
  }
}
