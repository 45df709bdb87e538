import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Ordering's rules: every line by itself, with all reasons that hold. */
final class Rules {
    private static final Map<String, String> OUTCOMES =
            Map.of(
                    "NOT_IN_OVERVIEW", "e_consult",
                    "COVERED_BY_REPEAT_SERVICE", "repeat_service",
                    "STATUS_NOT_KNOWN_YET", "waiting");

    private final Map<String, Records.Policy> practices;
    private final Set<String> pharmacies;

    Rules(Records.Region region) {
        practices = region.practices();
        pharmacies = Set.copyOf(region.pharmacies());
    }

    /** The decision on a whole order; {@code at} is RFC 3339 in UTC. */
    Records.Decided decide(Records.Asked asked, String at) {
        Records.Order order = asked.order();
        Records.Policy policy = practices.getOrDefault(order.practice(), Records.Policy.CAREFUL);
        List<Records.DecidedLine> lines = new ArrayList<>(order.lines().size());
        for (Records.Line line : order.lines()) {
            lines.add(decide(asked, line, policy));
        }
        return new Records.Decided(
                order.orderId(),
                1,
                order.patient(),
                order.practice(),
                order.pharmacy(),
                order.channel(),
                at,
                at,
                asked.overview() == null ? null : asked.overview().version(),
                policy.version(),
                state(lines),
                lines);
    }

    private Records.DecidedLine decide(
            Records.Asked asked, Records.Line line, Records.Policy policy) {
        Records.Entry entry = entry(asked.overview(), line.prk());
        List<String> codes = refusals(asked, entry);
        String outcome;
        if (!codes.isEmpty()) {
            outcome = refusedAs(codes);
        } else {
            codes = reviews(asked.order(), line, entry, policy);
            outcome = codes.isEmpty() && !policy.reviewEverything() ? "approved" : "review";
        }
        List<Records.Reason> reasons = new ArrayList<>(codes.size());
        for (String code : codes) {
            reasons.add(new Records.Reason(code, null, null));
        }
        return new Records.DecidedLine(
                line.line(),
                line.prk(),
                line.medicine(),
                line.quantity(),
                entry == null ? "" : entry.dosage(),
                outcome,
                reasons);
    }

    private List<String> refusals(Records.Asked asked, Records.Entry entry) {
        Records.Overview overview = asked.overview();
        boolean known = pharmacies.contains(asked.order().pharmacy());
        List<String> codes = new ArrayList<>(2);
        if (overview != null && !overview.practice().equals(asked.order().practice())) {
            codes.add("OTHER_PRACTICE");
        }
        if (!known) {
            codes.add("UNKNOWN_PHARMACY");
        }
        if (overview == null) {
            if (known) {
                codes.add("STATUS_NOT_KNOWN_YET");
            }
        } else if (entry == null) {
            codes.add("NOT_IN_OVERVIEW");
        } else {
            switch (entry.status()) {
                case "temporary" -> codes.add("TEMPORARY_MEDICATION");
                case "stopped" -> codes.add("STOPPED_MEDICATION");
                default -> {}
            }
            if (entry.repeatService()) {
                codes.add("COVERED_BY_REPEAT_SERVICE");
            }
        }
        return codes;
    }

    private static List<String> reviews(
            Records.Order order, Records.Line line, Records.Entry entry, Records.Policy policy) {
        List<String> codes = new ArrayList<>(2);
        if (policy.reviewHighRisk() && entry.highRisk()) {
            codes.add("HIGH_RISK_MEDICATION");
        }
        if (policy.reviewRemarks() && order.remark() != null && !order.remark().isBlank()) {
            codes.add("REMARK_NEEDS_READING");
        }
        if (policy.reviewLargerSupply() && order.supplyUntil() != null) {
            codes.add("LARGER_SUPPLY");
        }
        if (policy.reviewLargerQuantity() && line.quantity() > entry.quantity()) {
            codes.add("QUANTITY_ABOVE_LIMIT");
        }
        return codes;
    }

    private static Records.Entry entry(Records.Overview overview, String prk) {
        if (overview != null) {
            for (Records.Entry entry : overview.medications()) {
                if (entry.prk().equals(prk)) {
                    return entry;
                }
            }
        }
        return null;
    }

    private static String refusedAs(List<String> codes) {
        Set<String> ways =
                codes.stream()
                        .map(code -> OUTCOMES.getOrDefault(code, "refused"))
                        .collect(Collectors.toSet());
        if (ways.contains("waiting") && !ways.contains("refused")) {
            return "waiting";
        }
        return ways.size() == 1 ? ways.iterator().next() : "refused";
    }

    private static String state(List<Records.DecidedLine> lines) {
        boolean approved = false;
        boolean other = false;
        boolean review = false;
        for (Records.DecidedLine line : lines) {
            switch (line.outcome()) {
                case "waiting" -> {
                    return "waiting";
                }
                case "review" -> review = true;
                case "approved" -> approved = true;
                default -> other = true;
            }
        }
        if (review) {
            return "in_review";
        }
        if (approved) {
            return other ? "partly_approved" : "approved";
        }
        return "refused";
    }
}
