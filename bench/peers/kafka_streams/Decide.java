import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Decides an order, and gives the decision its envelope; id and trace follow from the order. */
final class Decide implements FixedKeyProcessor<String, Records.Asked, Records.Decided> {
    private static final String TYPE = "order.decided.v1";
    private static final byte[] NAMESPACE =
            bytes(UUID.fromString("5b1f4f0e-6f0b-5d5e-9d3c-6a2f8f3f7f10"));

    private final Rules rules;
    private final MessageDigest sha1;
    private FixedKeyProcessorContext<String, Records.Decided> context;

    Decide(Rules rules) {
        this.rules = rules;
        try {
            sha1 = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void init(FixedKeyProcessorContext<String, Records.Decided> context) {
        this.context = context;
    }

    @Override
    public void process(FixedKeyRecord<String, Records.Asked> record) {
        String at = Instant.ofEpochMilli(record.timestamp()).toString();
        Records.Decided decided = rules.decide(record.value(), at);
        String parent = text(record.headers().lastHeader("traceparent").value());
        context.forward(
                record.withValue(decided).withHeaders(envelope(decided.orderId(), at, parent)));
    }

    private Headers envelope(String orderId, String at, String parent) {
        UUID id = uuid5(TYPE + "/" + orderId + "/1");
        String span = String.format("%016x", id.getMostSignificantBits());
        Headers headers = new RecordHeaders();
        add(headers, "ce_specversion", "1.0");
        add(headers, "ce_type", "nl.herhaal." + TYPE);
        add(headers, "ce_source", "nl.herhaal/ordering");
        add(headers, "content-type", "application/json");
        add(headers, "ce_id", id.toString());
        add(headers, "ce_time", at);
        add(headers, "ce_subject", orderId);
        add(headers, "traceparent", parent.substring(0, 36) + span + parent.substring(52));
        return headers;
    }

    private UUID uuid5(String name) {
        sha1.update(NAMESPACE);
        byte[] hash = sha1.digest(name.getBytes(StandardCharsets.UTF_8));
        hash[6] = (byte) (hash[6] & 0x0f | 0x50);
        hash[8] = (byte) (hash[8] & 0x3f | 0x80);
        ByteBuffer bits = ByteBuffer.wrap(hash);
        return new UUID(bits.getLong(), bits.getLong());
    }

    private static byte[] bytes(UUID id) {
        ByteBuffer bits = ByteBuffer.allocate(16);
        return bits.putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    private static void add(Headers headers, String name, String value) {
        headers.add(name, value.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] value) {
        return new String(value, StandardCharsets.UTF_8);
    }
}
