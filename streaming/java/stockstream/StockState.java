package stockstream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.dataview.ListView;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.utils.JoinedRowData;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.table.functions.TableSemantics;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.inference.CallContext;
import org.apache.flink.table.types.inference.StateTypeStrategy;
import org.apache.flink.table.types.inference.StaticArgument;
import org.apache.flink.table.types.inference.StaticArgumentTrait;
import org.apache.flink.table.types.inference.TypeInference;
import org.apache.flink.table.types.utils.DataTypeUtils;

/**
 * `stock_state(TABLE events PARTITION BY (sku, location), DESCRIPTOR(ts))`: each event with the state it met.
 *
 * <p>The first columns of `events` are `event_type`, `event_time_ms`, `level` (1 or 0 on `stock` events: whether
 * something is on hand), `starts_day` (of `stock` events) and `threshold` (of `item` events). To the columns it
 * adds `in_stock` and `bulk_threshold` at a customer event; for a stock change `in_stock` just before it,
 * `stock_change` and `carry`, as `infra.contracts.features` describes them. Events are passed on in order of
 * time once the watermark has passed them; of one millisecond items come first, then stock changes, both in
 * order of arrival. A customer event that comes later than that meets the state of its time too.
 */
public final class StockState extends ProcessTableFunction<RowData> {

    private static final int EVENT_TYPE = 0;
    private static final int EVENT_TIME_MS = 1;
    private static final int LEVEL = 2;
    private static final int STARTS_DAY = 3;
    private static final int THRESHOLD = 4;

    /** Events wait for the end of their period of this length, which every window's step is a multiple of. */
    private static final long PERIOD_MS = 10_000;

    /** Longer than any local day: the state at every moment of an open day is remembered. */
    private static final long REMEMBERED_MS = 26 * 3_600_000L;

    public void eval(
            Context context,
            ListView<RowData> waiting,
            MapView<Long, Integer> levels,
            MapView<Long, Double> thresholds,
            RowData event)
            throws Exception {
        TimeContext<Long> time = context.timeContext(Long.class);
        long due = (time.time() / PERIOD_MS + 1) * PERIOD_MS - 1;
        Long watermark = time.currentWatermark();
        if (watermark == null || due > watermark) {
            waiting.add(event);
            time.registerOnTime(due);
        } else {
            pass(List.of(event), levels, thresholds);
        }
    }

    public void onTimer(
            OnTimerContext context,
            ListView<RowData> waiting,
            MapView<Long, Integer> levels,
            MapView<Long, Double> thresholds)
            throws Exception {
        long now = context.timeContext(Long.class).time();
        List<RowData> due = new ArrayList<>();
        List<RowData> rest = new ArrayList<>();
        for (RowData event : waiting.get()) {
            (event.getLong(EVENT_TIME_MS) <= now ? due : rest).add(event);
        }
        waiting.setList(rest);
        due.sort(Comparator.comparingLong((RowData event) -> event.getLong(EVENT_TIME_MS)).thenComparing(StockState::rank));
        pass(due, levels, thresholds);
        forget(levels, now - REMEMBERED_MS);
        forget(thresholds, now - REMEMBERED_MS);
    }

    private static int rank(RowData event) {
        return isItem(event) ? 0 : isStock(event) ? 1 : 2;
    }

    private static boolean isItem(RowData event) {
        return event.getString(EVENT_TYPE).toString().equals("item");
    }

    private static boolean isStock(RowData event) {
        return !event.isNullAt(LEVEL);
    }

    private void pass(List<RowData> events, MapView<Long, Integer> levels, MapView<Long, Double> thresholds)
            throws Exception {
        TreeMap<Long, Integer> level = new TreeMap<>(levels.getMap());
        TreeMap<Long, Double> threshold = new TreeMap<>(thresholds.getMap());
        for (RowData event : events) {
            long time = event.getLong(EVENT_TIME_MS);
            if (isItem(event)) {
                Double value = event.isNullAt(THRESHOLD) ? null : event.getDouble(THRESHOLD);
                threshold.put(time, value);
                thresholds.put(time, value);
            } else if (isStock(event)) {
                collect(new JoinedRowData(event, change(event, level.floorEntry(time))));
                level.put(time, event.getInt(LEVEL));
                levels.put(time, event.getInt(LEVEL));
            } else {
                collect(new JoinedRowData(event, state(value(level, time), value(threshold, time))));
            }
        }
    }

    private static <V> V value(TreeMap<Long, V> versions, long time) {
        Map.Entry<Long, V> entry = versions.floorEntry(time);
        return entry == null ? null : entry.getValue();
    }

    private static RowData state(Integer inStock, Double threshold) {
        return GenericRowData.of(inStock, threshold, 0, null);
    }

    private static RowData change(RowData event, Map.Entry<Long, Integer> earlier) {
        long time = event.getLong(EVENT_TIME_MS);
        Integer before = earlier != null ? earlier.getValue() : event.getBoolean(STARTS_DAY) ? (Integer) event.getInt(LEVEL) : null;
        if (before == null) {
            return GenericRowData.of(null, null, null, null);
        }
        boolean first = earlier == null || earlier.getKey() != time;
        return GenericRowData.of(before, null, event.getInt(LEVEL) - before, first ? time * 2 + before : null);
    }

    /** Removes what was replaced before the limit. */
    private static <V> void forget(MapView<Long, V> versions, long limit) throws Exception {
        Long kept = null;
        List<Long> old = new ArrayList<>();
        for (Long time : versions.keys()) {
            if (time < limit) {
                old.add(time);
                kept = kept == null ? time : Long.valueOf(Math.max(kept, time));
            }
        }
        old.remove(kept);
        for (Long time : old) {
            versions.remove(time);
        }
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        LinkedHashMap<String, StateTypeStrategy> state = new LinkedHashMap<>();
        state.put("waiting", state(call -> ListView.newListViewDataType(events())));
        state.put("levels", state(call -> versions(DataTypes.INT())));
        state.put("thresholds", state(call -> versions(DataTypes.DOUBLE())));
        EnumSet<StaticArgumentTrait> traits = EnumSet.of(
                StaticArgumentTrait.TABLE,
                StaticArgumentTrait.SET_SEMANTIC_TABLE,
                StaticArgumentTrait.REQUIRE_ON_TIME);
        return TypeInference.newBuilder()
                .staticArguments(StaticArgument.table("events", events(), false, traits))
                .stateTypeStrategies(state)
                .outputTypeStrategy(call -> Optional.of(output(call)))
                .build();
    }

    private static StateTypeStrategy state(Function<CallContext, DataType> type) {
        return StateTypeStrategy.of(call -> Optional.of(type.apply(call)), Duration.ZERO);
    }

    private static DataType versions(DataType value) {
        return MapView.newMapViewDataType(DataTypes.BIGINT().notNull(), value);
    }

    private static final DataType ROWTIME = DataTypes.TIMESTAMP_LTZ(3).notNull();

    private static final List<DataTypes.Field> EVENT_FIELDS = List.of(
            field("event_type", DataTypes.STRING()),
            field("event_time_ms", DataTypes.BIGINT()),
            field("level", DataTypes.INT()),
            field("starts_day", DataTypes.BOOLEAN()),
            field("threshold", DataTypes.DOUBLE()),
            field("sku", DataTypes.STRING()),
            field("location", DataTypes.STRING()),
            field("ts", ROWTIME),
            field("session_id", DataTypes.STRING()),
            field("quantity", DataTypes.DECIMAL(13, 6)),
            field("unit_price", DataTypes.DECIMAL(16, 4)),
            field("list_price", DataTypes.DECIMAL(16, 4)),
            field("promotion_id", DataTypes.STRING()));

    private static DataType events() {
        return DataTypeUtils.toInternalDataType(DataTypes.ROW(EVENT_FIELDS));
    }

    private static DataTypes.Field field(String name, DataType type) {
        return DataTypes.FIELD(name, type);
    }

    /** The events' columns, those apart that Flink itself puts before and after, and what this adds. */
    private static DataType output(CallContext call) {
        Stream<DataTypes.Field> added = Stream.of(
                field("in_stock", DataTypes.INT()),
                field("bulk_threshold", DataTypes.DOUBLE()),
                field("stock_change", DataTypes.INT()),
                field("carry", DataTypes.BIGINT()));
        TableSemantics semantics = call.getTableSemantics(0).orElseThrow();
        List<DataTypes.Field> given = new ArrayList<>(EVENT_FIELDS);
        IntStream.of(semantics.partitionByColumns())
                .forEach(i -> given.set(i, field("given_" + given.get(i).getName(), given.get(i).getDataType())));
        return DataTypeUtils.toInternalDataType(DataTypes.ROW(Stream.concat(given.stream(), added).toList()));
    }
}
