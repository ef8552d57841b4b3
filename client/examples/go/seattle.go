// Sends three days of weather to a live session, one by one, and prints what the model expects for the day after each.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log"
	"os"
	"time"

	"example.com/seattle/rondov1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// temp_max, temp_min, precipitation, wind, as `rondo models` lists them.
var days = [][]float32{{5.6, -3.2, 0, 1.2}, {5.6, 0, 1.5, 2.3}, {5, 1.7, 0, 1.7}}

// answer is what a reply has for its one sequence, or the reason that it has nothing.
func answer(reply *rondov1.PredictResponse, err error) ([]float32, error) {
	if err != nil {
		return nil, err
	}
	if reply.GoingAway != nil {
		return nil, status.Error(codes.Unavailable, "the server shuts down")
	}
	refusal := reply.Status // the message's
	if len(reply.Results) > 0 {
		refusal = reply.Results[0].Status
	}
	if refusal != nil {
		return nil, status.Error(codes.Code(refusal.Code), refusal.Message)
	}
	return reply.Results[0].Values, nil
}

func predict(address, model string) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second) // for the whole stream
	defer cancel()
	stream, err := rondov1.NewInferenceClient(connection).StreamPredict(ctx)
	if err != nil {
		return err
	}
	session := rand.Text()
	for position, day := range days {
		stream.Send(&rondov1.PredictRequest{Model: model, Sequences: []*rondov1.Sequence{{ // if it fails, Recv says why
			SessionId: session, Position: proto.Int64(int64(position)), Values: day,
			Times:      []int64{time.Date(2015, time.January, 1+position, 0, 0, 0, 0, time.UTC).Unix()},
			EndSession: position == len(days)-1,
		}}})
		tomorrow, err := answer(stream.Recv())
		if err != nil {
			return err
		}
		fmt.Printf("day %d: tomorrow %.6f\n", position+1, tomorrow)
	}
	return stream.CloseSend()
}

func main() {
	log.SetFlags(0)
	model := append(os.Args[1:], "seattle")[0]
	if err := predict(cmp.Or(os.Getenv("RONDO_SERVER"), "127.0.0.1:8001"), model); err != nil {
		log.Fatal(err)
	}
}
