import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;

/** The bodies of the records that the job reads and writes, as far as it needs them. */
final class Records {
    private Records() {}

    record Order(
            @JsonProperty("order_id") String orderId,
            String patient,
            String practice,
            String pharmacy,
            String channel,
            List<Line> lines,
            String remark,
            @JsonProperty("supply_until") String supplyUntil) {}

    record Line(int line, String prk, String medicine, int quantity) {}

    record Overview(String practice, int version, List<Entry> medications) {}

    record Entry(
            String prk,
            String status,
            int quantity,
            String dosage,
            @JsonProperty("high_risk") boolean highRisk,
            @JsonProperty("repeat_service") boolean repeatService) {}

    /** An order with its patient's newest overview, which is null as long as none has arrived. */
    record Asked(Order order, Overview overview) {}

    record Decided(
            @JsonProperty("order_id") String orderId,
            int seq,
            String patient,
            String practice,
            String pharmacy,
            String channel,
            @JsonProperty("placed_at") String placedAt,
            @JsonProperty("decided_at") String decidedAt,
            @JsonProperty("overview_version") Integer overviewVersion,
            @JsonProperty("policy_version") Integer policyVersion,
            String state,
            List<DecidedLine> lines) {}

    record DecidedLine(
            int line,
            String prk,
            String medicine,
            int quantity,
            String dosage,
            String outcome,
            List<Reason> reasons) {}

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Reason(
            String code,
            @JsonProperty("earliest_date") String earliestDate,
            @JsonProperty("other_order") String otherOrder) {}

    /** The directory, as the outsider writes it into a file. */
    record Region(Map<String, Policy> practices, List<String> pharmacies) {}

    record Policy(
            Integer version,
            @JsonProperty("review_everything") boolean reviewEverything,
            @JsonProperty("review_high_risk") boolean reviewHighRisk,
            @JsonProperty("review_remarks") boolean reviewRemarks,
            @JsonProperty("review_larger_supply") boolean reviewLargerSupply,
            @JsonProperty("review_larger_quantity") boolean reviewLargerQuantity) {

        /** That of a practice that is not in the directory. */
        static final Policy CAREFUL = new Policy(null, false, true, true, true, true);
    }
}
