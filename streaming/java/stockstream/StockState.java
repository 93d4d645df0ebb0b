package stockstream;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.dataview.ListView;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.catalog.DataTypeFactory;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
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

    private static final StringData ITEM = StringData.fromString("item");
    private static final StringData PURCHASE = StringData.fromString("purchase");

    /** By time; of one millisecond items first, then stock changes; both, the sort is stable, as they arrived. */
    private static final Comparator<RowData> IN_ORDER =
            Comparator.comparingLong((RowData event) -> event.getLong(EVENT_TIME_MS))
                    .thenComparingInt(event -> isItem(event) ? 0 : isStock(event) ? 1 : 2);

    /** Events wait for the end of their period of this length, which every window's step is a multiple of. */
    private static final long PERIOD_MS = 10_000;

    /** Longer than any local day: the state at every moment of an open day is remembered. */
    private static final long REMEMBERED_MS = 26 * 3_600_000L;

    public void eval(
            Context context,
            ListView<RowData> waiting,
            ListView<Long> levels,
            MapView<Long, Double> thresholds,
            RowData event)
            throws Exception {
        TimeContext<Long> time = context.timeContext(Long.class);
        long due = (event.getLong(EVENT_TIME_MS) / PERIOD_MS + 1) * PERIOD_MS - 1;
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
            ListView<Long> levels,
            MapView<Long, Double> thresholds)
            throws Exception {
        long now = context.timeContext(Long.class).time();
        List<RowData> due = new ArrayList<>();
        List<RowData> rest = new ArrayList<>();
        for (RowData event : waiting.get()) {
            (event.getLong(EVENT_TIME_MS) <= now ? due : rest).add(event);
        }
        if (rest.isEmpty()) {
            waiting.clear();
        } else {
            waiting.setList(rest);
        }
        due.sort(IN_ORDER);
        pass(due, levels, thresholds);
    }

    private static boolean isItem(RowData event) {
        return event.isNullAt(LEVEL) && event.getString(EVENT_TYPE).equals(ITEM);
    }

    private static boolean isStock(RowData event) {
        return !event.isNullAt(LEVEL);
    }

    private void pass(List<RowData> events, ListView<Long> levels, MapView<Long, Double> thresholds)
            throws Exception {
        List<Long> known = new ArrayList<>();
        levels.get().forEach(known::add);
        int before = known.size();
        for (RowData event : events) {
            if (isStock(event)) {
                collect(new JoinedRowData(event, change(event, last(known, event.getLong(EVENT_TIME_MS)))));
                known.add(event.getLong(EVENT_TIME_MS) * 2 + event.getInt(LEVEL));
            } else if (isItem(event)) {
                keep(thresholds, event);
            } else {
                collect(new JoinedRowData(event, state(event, known, thresholds)));
            }
        }
        if (known.size() > before) {
            levels.setList(recent(known));
        }
    }

    /** The last level up to a time, as twice its time plus 1 if something was on hand; or null. */
    private static Long last(List<Long> levels, long time) {
        for (int i = levels.size() - 1; i >= 0; i--) {
            if (levels.get(i) / 2 <= time) {
                return levels.get(i);
            }
        }
        return null;
    }

    private static List<Long> recent(List<Long> levels) {
        long limit = levels.get(levels.size() - 1) / 2 - REMEMBERED_MS;
        int first = 0;
        while (first + 1 < levels.size() && levels.get(first + 1) / 2 <= limit) {
            first++;
        }
        return new ArrayList<>(levels.subList(first, levels.size()));
    }

    private static void keep(MapView<Long, Double> thresholds, RowData item) throws Exception {
        long time = item.getLong(EVENT_TIME_MS);
        thresholds.put(time, item.isNullAt(THRESHOLD) ? null : item.getDouble(THRESHOLD));
        Long oldest = newest(thresholds, time - REMEMBERED_MS);
        List<Long> forgotten = new ArrayList<>();
        for (Long version : thresholds.keys()) {
            if (oldest != null && version < oldest) {
                forgotten.add(version);
            }
        }
        for (Long version : forgotten) {
            thresholds.remove(version);
        }
    }

    /** The last version up to a time, or null. */
    private static Long newest(MapView<Long, Double> versions, long time) throws Exception {
        Long newest = null;
        for (Long version : versions.keys()) {
            newest = version <= time && (newest == null || version > newest) ? version : newest;
        }
        return newest;
    }

    private static RowData state(RowData event, List<Long> levels, MapView<Long, Double> thresholds)
            throws Exception {
        long time = event.getLong(EVENT_TIME_MS);
        Long level = last(levels, time);
        Long version = event.getString(EVENT_TYPE).equals(PURCHASE) ? newest(thresholds, time) : null;
        Double threshold = version == null ? null : thresholds.get(version);
        return GenericRowData.of(level == null ? null : (int) (level % 2), threshold, 0, null);
    }

    private static RowData change(RowData event, Long earlier) {
        long time = event.getLong(EVENT_TIME_MS);
        int level = event.getInt(LEVEL);
        if (earlier == null && !event.getBoolean(STARTS_DAY)) {
            return GenericRowData.of(null, null, null, null);
        }
        int before = earlier == null ? level : (int) (earlier % 2);
        boolean first = earlier == null || earlier / 2 != time;
        return GenericRowData.of(before, null, level - before, first ? time * 2 + before : null);
    }

    @Override
    public TypeInference getTypeInference(DataTypeFactory factory) {
        LinkedHashMap<String, StateTypeStrategy> state = new LinkedHashMap<>();
        state.put("waiting", state(ListView.newListViewDataType(events())));
        state.put("levels", state(ListView.newListViewDataType(DataTypes.BIGINT().notNull())));
        state.put("thresholds", state(MapView.newMapViewDataType(DataTypes.BIGINT().notNull(), DataTypes.DOUBLE())));
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

    /** State without end: as many entries as the catalogue has keys. */
    private static StateTypeStrategy state(DataType type) {
        return StateTypeStrategy.of(call -> Optional.of(type), Duration.ZERO);
    }

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
