import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Produced;

/**
 * The order-validation join on Kafka Streams, until SIGTERM.
 *
 * <p>Arguments: the region's file, then settings of Kafka Streams as name=value.
 */
public final class OrderValidation {
    private OrderValidation() {}

    public static void main(String[] arguments) throws IOException {
        Records.Region region =
                JsonSerde.MAPPER.readValue(new File(arguments[0]), Records.Region.class);
        Properties settings = new Properties();
        for (int i = 1; i < arguments.length; i++) {
            String[] setting = arguments[i].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        KafkaStreams streams =
                new KafkaStreams(topology(new Rules(region), settings), new StreamsConfig(settings));
        // It leaves its group, so that it is back at once when it is started again.
        CloseOptions leaving =
                CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP)
                        .withTimeout(Duration.ofSeconds(20));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(leaving)));
        streams.start();
    }

    private static Topology topology(Rules rules, Properties settings) {
        StreamsBuilder builder = new StreamsBuilder();
        var orders = new JsonSerde<>(Records.Order.class);
        var overviews = new JsonSerde<>(Records.Overview.class);
        var events = new JsonSerde<>(Records.Decided.class);
        KTable<String, Records.Overview> newest =
                builder.table("medication.status", Consumed.with(Serdes.String(), overviews));
        builder.stream("orders.requests", Consumed.with(Serdes.String(), orders))
                .leftJoin(
                        newest,
                        Records.Asked::new,
                        Joined.with(Serdes.String(), orders, overviews))
                .processValues(() -> new Decide(rules))
                .to("orders.events", Produced.with(Serdes.String(), events));
        // With its settings, so that the source topic serves as the table's changelog.
        return builder.build(settings);
    }
}
