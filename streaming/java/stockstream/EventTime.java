package stockstream;

import com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * `event_time(value, schema, written, allowance_ms)`: a record's event time. Of a record that is refused, or is
 * stamped more than the allowance after it was written, it is 1970, which never advances a watermark.
 */
public final class EventTime extends ScalarFunction {

    private transient RecordContract contract;

    public @DataTypeHint("TIMESTAMP_LTZ(3) NOT NULL") TimestampData eval(
            byte[] value,
            @DataTypeHint(value = "STRING", bridgedTo = StringData.class) StringData schema,
            @DataTypeHint("TIMESTAMP_LTZ(3)") TimestampData written,
            long allowanceMs) {
        if (contract == null) {
            contract = RecordContract.of(schema.toString());
        }
        RecordContract.Checked record = contract.check(value);
        long time = record.problem() == null ? record.fields().path("event_time_ms").longValue() : 0;
        return TimestampData.fromEpochMillis(time <= written.getMillisecond() + allowanceMs ? time : 0);
    }
}
