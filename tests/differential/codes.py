# SPDX-License-Identifier: Apache-2.0
"""RocketMQ 5.5.0's requests: code, name, fields. A field is NAME:KIND, with ! if the Java node wants
it. READS are answered from what is there and change nothing, so they may be asked again."""

from dataclasses import dataclass

_SEND = ("producerGroup:producer! topic:topic! defaultTopic:template! defaultTopicQueueNums:queues! "
         "queueId:queue! sysFlag:zero! bornTimestamp:time! flag:int! properties:properties "
         "reconsumeTimes:zero unitMode:bool batch:false maxReconsumeTimes:int")
_SEND_V2 = ("a:producer! b:topic! c:template! d:queues! e:queue! f:zero! g:time! h:int! i:properties "
            "j:zero k:bool l:int m:false n:broker")
_PULL = ("consumerGroup:group! topic:topic! queueId:queue! queueOffset:offset! maxMsgNums:count! "
         "sysFlag:subscribed! commitOffset:offset! suspendTimeoutMillis:zero! subscription:tags "
         "subVersion:zero! expressionType:language maxMsgBytes:bytes requestSource:none")

_BROKER = f"""
10 SEND_MESSAGE {_SEND}
310 SEND_MESSAGE_V2 {_SEND_V2}
320 SEND_BATCH_MESSAGE {_SEND_V2}
36 CONSUMER_SEND_MSG_BACK offset:log! group:group! delayLevel:level! originMsgId:text \
originTopic:topic! unitMode:bool maxReconsumeTimes:count
324 SEND_REPLY_MESSAGE {_SEND}
325 SEND_REPLY_MESSAGE_V2 {_SEND_V2}
11 PULL_MESSAGE {_PULL}
361 LITE_PULL_MESSAGE {_PULL}
12 QUERY_MESSAGE topic:topic! key:key! maxNum:count! beginTimestamp:zero! endTimestamp:later!
33 VIEW_MESSAGE_BY_ID topic:topic offset:log!
35 UNREGISTER_CLIENT clientID:client! producerGroup:producer consumerGroup:group
38 GET_CONSUMER_LIST_BY_GROUP consumerGroup:group!
14 QUERY_CONSUMER_OFFSET consumerGroup:group! topic:topic! queueId:queue! setZeroIfNotFound:bool
15 UPDATE_CONSUMER_OFFSET consumerGroup:group! topic:topic! queueId:queue! commitOffset:offset!
37 END_TRANSACTION topic:topic producerGroup:producer! tranStateTableOffset:offset! \
commitLogOffset:log! commitOrRollback:decision! fromTransactionCheck:bool msgId:text! transactionId:text
17 UPDATE_AND_CREATE_TOPIC topic:topic! defaultTopic:template! readQueueNums:queues! \
writeQueueNums:queues! perm:perm! topicFilterType:filter! topicSysFlag:zero order:false! \
attributes:attributes force:bool
215 DELETE_TOPIC_IN_BROKER topic:doomed!
21 GET_ALL_TOPIC_CONFIG
351 GET_TOPIC_CONFIG topic:topic!
29 SEARCH_OFFSET_BY_TIMESTAMP topic:topic! queueId:queue! timestamp:time! boundaryType:boundary
30 GET_MAX_OFFSET topic:topic! queueId:queue! committed:bool
31 GET_MIN_OFFSET topic:topic! queueId:queue!
32 GET_EARLIEST_MSG_STORETIME topic:topic! queueId:queue!
352 GET_SUBSCRIPTIONGROUP_CONFIG group:group!
207 DELETE_SUBSCRIPTIONGROUP groupName:doomed! cleanOffset:bool
353 UPDATE_AND_GET_GROUP_FORBIDDEN group:group! topic:topic! readable:bool
202 GET_TOPIC_STATS_INFO topic:topic!
203 GET_CONSUMER_CONNECTION_LIST consumerGroup:group!
204 GET_PRODUCER_CONNECTION_LIST producerGroup:producer!
208 GET_CONSUME_STATS consumerGroup:group! topic:topic topicList:topic
43 GET_ALL_CONSUMER_OFFSET
402 GET_ALL_MESSAGE_REQUEST_MODE
222 INVOKE_BROKER_TO_RESET_OFFSET group:group! topic:topic! queueId:queue offset:offset \
timestamp:time! isForce:bool!
223 INVOKE_BROKER_TO_GET_CONSUMER_STATUS topic:topic! group:group! clientAddr:client
300 QUERY_TOPIC_CONSUME_BY_WHO topic:topic!
343 QUERY_TOPICS_BY_CONSUMER group:group!
345 QUERY_SUBSCRIPTION_BY_CONSUMER group:group! topic:topic!
303 QUERY_CONSUME_TIME_SPAN topic:topic! group:group!
305 GET_SYSTEM_TOPIC_LIST_FROM_BROKER
307 GET_CONSUMER_RUNNING_INFO consumerGroup:group! clientId:client! jstackEnable:bool
308 QUERY_CORRECTION_OFFSET filterGroups:nobody compareGroup:group! topic:topic!
309 CONSUME_MESSAGE_DIRECTLY consumerGroup:group! clientId:client msgId:text brokerName:broker \
topic:topic topicSysFlag:zero groupSysFlag:zero
314 CLONE_GROUP_OFFSET srcGroup:group! destGroup:group! topic:topic offline:bool
315 VIEW_BROKER_STATS_DATA statsName:text! statsKey:text!
317 GET_BROKER_CONSUME_STATS isOrder:bool!
321 QUERY_CONSUME_QUEUE topic:topic queueId:queue index:offset count:count consumerGroup:group
323 RESUME_CHECK_HALF_MESSAGE topic:topic msgId:text
"""

_NAMESRV = """
105 GET_ROUTEINFO_BY_TOPIC topic:topic! acceptStandardJsonOnly:bool
100 PUT_KV_CONFIG namespace:space! key:key! value:text!
101 GET_KV_CONFIG namespace:space! key:key!
102 DELETE_KV_CONFIG namespace:space! key:key!
219 GET_KVLIST_BY_NAMESPACE namespace:space!
104 UNREGISTER_BROKER brokerName:other! brokerAddr:address! clusterName:cluster! brokerId:zero!
322 QUERY_DATA_VERSION brokerName:broker! brokerAddr:address! clusterName:cluster! brokerId:zero!
904 BROKER_HEARTBEAT clusterName:cluster! brokerAddr:address! brokerName:other! brokerId:zero \
epoch:zero maxOffset:zero confirmOffset:zero heartbeatTimeoutMills:int electionPriority:zero
901 GET_BROKER_MEMBER_GROUP clusterName:cluster! brokerName:other!
106 GET_BROKER_CLUSTER_INFO
205 WIPE_WRITE_PERM_OF_BROKER brokerName:other!
327 ADD_WRITE_PERM_OF_BROKER brokerName:other!
206 GET_ALL_TOPIC_LIST_FROM_NAMESERVER
216 DELETE_TOPIC_IN_NAMESRV topic:doomed! clusterName:cluster
224 GET_TOPICS_BY_CLUSTER cluster:cluster!
304 GET_SYSTEM_TOPIC_LIST_FROM_NS
311 GET_UNIT_TOPIC_LIST
312 GET_HAS_UNIT_SUB_TOPIC_LIST
313 GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST
"""

SENDS = {10, 310, 320}
READS = {11, 361, 201, 12, 33, 38, 14, 21, 351, 29, 30, 31, 32, 352, 202, 203, 204, 208, 43, 402, 300,
         343, 345, 303, 305, 308, 315, 317, 321, 105, 101, 219, 901, 106, 206, 224, 304, 311, 312, 313}


@dataclass(frozen=True)
class Field:
    """One field of a request."""

    name: str
    kind: str
    needed: bool


@dataclass(frozen=True)
class Code:
    """One request."""

    code: int
    name: str
    fields: tuple

    @property
    def reads(self):
        """Whether it changes nothing."""
        return self.code in READS


def _parse(text):
    codes = []
    for line in filter(None, text.splitlines()):
        code, name, *fields = line.split()
        parsed = []
        for field in fields:
            field_name, kind = field.rstrip("!").split(":")
            parsed.append(Field(field_name, kind, field.endswith("!")))
        codes.append(Code(int(code), name, tuple(parsed)))
    return codes


BROKER = _parse(_BROKER)
NAMESRV = _parse(_NAMESRV)
