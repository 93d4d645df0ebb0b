package stockstream;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.Optional;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.logical.DecimalType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.RowType;
import org.apache.flink.table.types.logical.utils.LogicalTypeParser;
import org.apache.flink.table.types.utils.DataTypeUtils;
import org.apache.flink.table.types.utils.TypeConversions;

/**
 * `read_record(value, schema, columns)`: a row of the columns, a literal such as `problem STRING, event_id
 * STRING, quantity DECIMAL(13, 6)`. The first says why the record is refused, or is null; the others are its
 * fields of these names, null where it has none. Of a refused record only the location is read, of money the
 * amount.
 */
public final class ReadRecord extends ScalarFunction {

    private transient RecordContract contract;
    private transient String[] names;
    private transient LogicalType[] types;

    public RowData eval(byte[] value, StringData schema, StringData columnList) {
        if (contract == null) {
            contract = RecordContract.of(schema.toString());
            RowType columns = rowType(columnList.toString());
            names = columns.getFieldNames().toArray(String[]::new);
            types = columns.getChildren().toArray(LogicalType[]::new);
        }
        RecordContract.Checked record = contract.check(value);
        GenericRowData row = new GenericRowData(names.length);
        row.setField(0, StringData.fromString(record.problem()));
        for (int i = 1; i < names.length; i++) {
            JsonNode field = record.fields().path(names[i]);
            row.setField(i, record.problem() == null ? typed(field, types[i]) : readable(names[i], field));
        }
        return row;
    }

    /** Of a refused record only the location is read: it says whose it is. */
    private static StringData readable(String name, JsonNode field) {
        return name.equals("location") && field.isTextual() ? StringData.fromString(field.textValue()) : null;
    }

    private static Object typed(JsonNode field, LogicalType type) {
        if (field.isMissingNode() || field.isNull()) {
            return null;
        }
        return switch (type.getTypeRoot()) {
            case BIGINT -> field.longValue();
            case DOUBLE -> field.doubleValue();
            case DECIMAL -> decimal(field, (DecimalType) type);
            default -> StringData.fromString(field.textValue());
        };
    }

    private static DecimalData decimal(JsonNode field, DecimalType type) {
        BigDecimal number = field.isObject() ? new BigDecimal(field.path("amount").textValue()) : field.decimalValue();
        return DecimalData.fromBigDecimal(number, type.getPrecision(), type.getScale());
    }

    private static RowType rowType(String columnList) {
        String type = "ROW<" + columnList + ">";
        return (RowType) LogicalTypeParser.parse(type, ReadRecord.class.getClassLoader());
    }

    /** Says that the planner must not copy the call to every place that uses a column. */
    @Override
    public boolean isDeterministic() {
        return false;
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        DataType text = DataTypes.STRING().bridgedTo(StringData.class);
        return TypeInference.newBuilder()
                .staticArguments(
                        StaticArgument.scalar("value", DataTypes.BYTES(), false),
                        StaticArgument.scalar("schema", text, false),
                        StaticArgument.scalar("columns", text, false))
                .outputTypeStrategy(ReadRecord::outputType)
                .build();
    }

    private static Optional<DataType> outputType(CallContext call) {
        String columnList = call.getArgumentValue(2, String.class).orElseThrow();
        DataType row = TypeConversions.fromLogicalToDataType(rowType(columnList));
        return Optional.of(DataTypeUtils.toInternalDataType(row));
    }
}
